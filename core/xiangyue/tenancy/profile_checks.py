"""What takes more than one key of ``tenant.toml`` to judge: double keys, and names that must exist
elsewhere.

The checks read the raw values, so they also run where the shape is wrong, and pass over what the schema has
already reported: a profile's faults shall come out all at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from xiangyue.i18n import _
from xiangyue.tenancy.hosts import host_fault
from xiangyue.tenancy.profile_problems import did_you_mean
from xiangyue.tenancy.profile_toml import Path_

Found = tuple[Path_, str, str]  # key path, message, suggestion


@dataclass(frozen=True, slots=True)
class Known:
    """Names that exist in this deployment; None leaves a check out."""

    permissions: Collection[str] | None = None
    templates: Collection[str] | None = None
    plugins: Collection[str] | None = None
    base_domain: str | None = None


def check(raw: dict[str, Any], known: Known) -> Iterator[Found]:
    """All faults of this sort in the raw values of a ``tenant.toml``."""
    yield from _hosts(raw, known)
    yield from _roles(raw, known)
    yield from _second_factor(raw, known)
    for name in _table(raw.get("plugins")):
        if known.plugins is None or name in known.plugins:
            continue
        # What is said of a plugin that is not installed is kept until it is; a slip of the pen would be for ever.
        if meant := did_you_mean(name, known.plugins):
            yield ("plugins", name), _("no plugin '%(name)s' is installed here", name=name), meant
    yield from _double(raw, "custom_fields", ("entity", "key"))
    yield from _double(raw, "marks", ("key",))
    yield from _double(raw, "awards", ("key",))
    yield from _organisations(raw)
    yield from _double(raw, "notices", ("key",))
    for index, field in enumerate(_list(raw.get("custom_fields"))):
        for path, message, suggestion in _double(_table(field), "options", ("key",)):
            yield ("custom_fields", index, *path), message, suggestion


def _organisations(raw: dict[str, Any]) -> Iterator[Found]:
    own = _table(raw.get("organisations"))
    for path, message, suggestion in _double(own, "kinds", ("key",)):
        yield ("organisations", *path), message, suggestion
    for index, kind in enumerate(_list(own.get("kinds"))):
        for path, message, suggestion in _double(_table(kind), "posts", ("key",)):
            yield ("organisations", "kinds", index, *path), message, suggestion


def _hosts(raw: dict[str, Any], known: Known) -> Iterator[Found]:
    seen: set[str] = set()
    slug = raw.get("slug")
    for index, host in enumerate(_list(raw.get("hosts"))):
        if not isinstance(host, str) or not host.strip():
            continue
        named = slug if isinstance(slug, str) else ""
        if fault := host_fault(host, slug=named, base_domain=known.base_domain):
            yield ("hosts", index), *fault
        elif host in seen:
            yield ("hosts", index), _("'%(value)s' stands here twice", value=host), ""
        seen.add(host)


def _roles(raw: dict[str, Any], known: Known) -> Iterator[Found]:
    for key, role in _table(raw.get("roles")).items():
        template = _table(role).get("template")
        if isinstance(template, str) and known.templates is not None and template not in known.templates:
            message = _("no role template '%(name)s'", name=template)
            yield ("roles", key, "template"), message, did_you_mean(template, known.templates)
        seen: set[str] = set()
        for index, name in enumerate(_list(_table(role).get("permissions"))):
            if not isinstance(name, str) or not name.strip():
                continue
            path: Path_ = ("roles", key, "permissions", index)
            if known.permissions is not None and name not in known.permissions:
                message = _("no permission '%(name)s'", name=name)
                yield path, message, did_you_mean(name, known.permissions)
            elif name in seen:
                yield path, _("'%(value)s' stands here twice", value=name), ""
            seen.add(name)


def _second_factor(raw: dict[str, Any], known: Known) -> Iterator[Found]:
    """Roles that require TOTP must be roles of this county; without any of its own it has those of the
    templates.
    """
    roles: Collection[str] | None = _table(raw.get("roles")) or known.templates
    if roles is None:
        return
    for index, name in enumerate(_list(_table(raw.get("settings")).get("require_totp_roles"))):
        if isinstance(name, str) and name.strip() and name not in roles:
            message = _("this county has no role '%(name)s'", name=name)
            yield ("settings", "require_totp_roles", index), message, did_you_mean(name, roles)


def _double(raw: dict[str, Any], name: str, keys: tuple[str, ...]) -> Iterator[Found]:
    seen: set[tuple[str, ...]] = set()
    for index, item in enumerate(_list(raw.get(name))):
        values = tuple(_table(item).get(key) for key in keys)
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(keys):
            continue
        if texts in seen:
            yield (name, index, "key"), _("'%(value)s' stands here twice", value=texts[-1]), ""
        seen.add(texts)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
