"""What a plugin may claim: whether its registrations are what the hooks ask for, and its own.

Everything here raises ``Fault``: broken for nonsense, refused for what belongs to another.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import click
from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.db.base import TenantOwned
from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin import registry as r
from xiangyue.plugin.claims_imports import register_fault
from xiangyue.plugin.hookspecs import REGISTRATIONS
from xiangyue.plugin.installed import broken, refuse
from xiangyue.plugin.offer import Offer
from xiangyue.plugin.registers import ImportRegister
from xiangyue.plugin.shapes import problem_of, shown

#: Attribute of an offer -> type of its items.
ITEMS: dict[str, type] = {
    "permissions": Permission,
    "pages": Blueprint,
    "api": Blueprint,
    "navigation": r.NavItem,
    "household_panels": r.HouseholdPanel,
    "person_panels": r.PersonPanel,
    "household_filters": r.HouseholdFilter,
    "household_columns": r.HouseholdColumn,
    "dashboard_cards": r.DashboardCard,
    "work": r.WorkProvider,
    "jobs": r.JobKind,
    "schedules": r.Schedule,
    "commands": click.Command,
    "import_columns": r.ImportColumn,
    "imports": ImportRegister,
    "search_kinds": r.SearchKind,
    "follows": r.Follows,
    "classifiers": r.Classifier,
    "profile_sections": r.ProfileSection,
}
MAPPINGS = ("role_templates", "audit_actions")

#: Keys of these begin with the plugin's name and a dot; those of the rest with the name and ``_``, or are the name.
DOTTED = frozenset({"permissions", "jobs", "schedules", "audit_actions", "classifiers", "work"})

#: Role templates of a county; ``county_admin`` must hold whatever the others do, or nobody could give those roles.
ROLE_TEMPLATES = ("county_admin", "department", "town", "village", "grid_leader", "group_head", "auditor")

#: Names no plugin can have, besides those that the core's registrations begin with.
RESERVED = frozenset(
    {"access", "api", "app", "area", "cell", "core", "db", "demo", "export", "file", "grid", "household", "import"}
    | {"job", "local", "me", "p", "person", "plugin", "plugins", "public", "role", "sdk", "search", "session", "sign"}
    | {"static", "tenancy", "tenant", "testing", "text", "web", "xiangyue"}
)
IMPORT_KINDS = ("text", "integer", "money", "year", "date", "boolean")
INPUT_KINDS = ("money", "number", "boolean", "text", "list", "years")
FOLLOWED = ("person", "household")
TONES = ("green", "yellow", "red", "blue", "grey")
#: A schedule more often than this would drown its county in jobs.
SHORTEST_PERIOD = 60


def key_of(attribute: str, item: Any) -> str:
    """The key of a registration: its name for permissions, blueprints and commands."""
    key: str = item.name if attribute in ("permissions", "pages", "api", "commands") else item.key
    return key


def reserved_names(offer: Offer) -> frozenset[str]:
    """What keys of the core begin with; a plugin of such a name could claim them."""
    found = set(RESERVED)
    for contributor in offer.contributors:
        if not contributor.core:
            continue
        found.add(contributor.key)
        for attribute, kind in contributor.offered.items():
            keys = kind if attribute in MAPPINGS else [key_of(attribute, item) for item in kind]
            if attribute != "role_templates":
                found |= {re.split(r"[._-]", key)[0] for key in keys if isinstance(key, str)}
    return frozenset(found)


def returned(hook: str, value: Any) -> Any:
    """What a ``register_*`` hook returned, as a tuple or dict of the right things. Raises Fault."""
    attribute = REGISTRATIONS[hook]
    if inspect.iscoroutine(value):
        value.close()
        raise _nonsense(hook, "coroutine", "tuple")
    if attribute in MAPPINGS:
        if not isinstance(value, Mapping):
            raise _nonsense(hook, shown(value), "mapping")
        return _mapping(hook, attribute, value)
    if not isinstance(value, tuple | list):
        raise _nonsense(hook, shown(value), "tuple")
    kind = ITEMS[attribute]
    for item in value:
        if not isinstance(item, kind) or (attribute == "api" and not hasattr(item, "register_views_in_doc")):
            raise _nonsense(hook, shown(item), "ApiBlueprint" if attribute == "api" else kind.__name__)
        wrong = problem_of(item) if hasattr(item, "__dataclass_fields__") else ""
        if wrong:
            raise _nonsense(hook, f"{kind.__name__}({key_of(attribute, item)!r}) – {wrong}", kind.__name__)
    return tuple(value)


def _mapping(hook: str, attribute: str, value: Mapping[Any, Any]) -> dict[str, Any]:
    for key, item in value.items():
        right = (
            isinstance(item, frozenset | set) and all(isinstance(name, str) for name in item)
            if attribute == "role_templates"
            else isinstance(item, str | LazyText)
        )
        if not isinstance(key, str) or not right:
            expected = "permission names" if attribute == "role_templates" else "text"
            raise _nonsense(hook, f"{shown(key)}: {shown(item)}", expected)
    return {k: frozenset(v) if attribute == "role_templates" else v for k, v in value.items()}


def _nonsense(hook: str, found: str, expected: str) -> Exception:
    return broken(
        _l(
            "Its hook %(hook)s returned %(found)s where %(expected)s is wanted.",
            hook=hook,
            found=found,
            expected=expected,
        )
    )


def check(name: str, offered: Mapping[str, Any], others: Offer) -> None:
    """Refuse what plugin ``name`` may not claim beside ``others``, everything registered before it."""
    for attribute, items in offered.items():
        keys = list(items) if attribute in MAPPINGS else [key_of(attribute, item) for item in items]
        if attribute not in ("role_templates", "pages", "api", "commands"):
            _check_keys(name, attribute, keys)
        if attribute != "role_templates":
            taken = {k for a, k in _keys(others) if a == attribute}
            for key in keys:
                if key in taken or keys.count(key) > 1:
                    raise refuse(_l("%(what)s “%(key)s” is already there.", what=attribute, key=key))
    _check_blueprints(name, offered)
    _check_commands(name, offered)
    _check_rights(name, offered, others)
    _check_details(name, offered, others)


def _keys(offer: Offer) -> Iterable[tuple[str, str]]:
    for contributor in offer.contributors:
        for attribute, items in contributor.offered.items():
            for item in items:
                yield attribute, item if attribute in MAPPINGS else key_of(attribute, item)


def _check_keys(name: str, attribute: str, keys: Iterable[str]) -> None:
    for key in keys:
        dotted = re.fullmatch(rf"{name}(\.[a-z0-9_]+)+", key)
        joined = key == name or re.fullmatch(rf"{name}_[a-z0-9_]+", key)
        if not (dotted if attribute in DOTTED else joined):
            wanted = f"{name}." if attribute in DOTTED else f"{name}_"
            raise refuse(
                _l(
                    "%(what)s “%(key)s” must begin with %(wanted)s (small letters, digits, _).",
                    what=attribute,
                    key=key,
                    wanted=wanted,
                )
            )


def _check_blueprints(name: str, offered: Mapping[str, Any]) -> None:
    for attribute, wanted in (("pages", name), ("api", f"api-{name}")):
        for blueprint in offered.get(attribute, ()):
            if blueprint.name != wanted and not blueprint.name.startswith(f"{wanted}_"):
                raise refuse(_l("Blueprint “%(key)s” must be called %(wanted)s.", key=blueprint.name, wanted=wanted))
            loader = blueprint.jinja_loader
            for template in loader.list_templates() if loader is not None else ():
                if not template.startswith(f"{name}/"):
                    raise refuse(
                        _l("Template “%(key)s” must lie in the folder %(wanted)s/.", key=template, wanted=name)
                    )


def _check_commands(name: str, offered: Mapping[str, Any]) -> None:
    commands = offered.get("commands", ())
    if len(commands) > 1 or any(c.name != name for c in commands):
        names = ", ".join(str(c.name) for c in commands)
        raise refuse(_l("It has one command or group, called %(wanted)s, and not: %(key)s.", key=names, wanted=name))


def _check_rights(name: str, offered: Mapping[str, Any], others: Offer) -> None:
    """Its own rights are for counties; others' may be asked for, never given away."""
    own = {p.name: p for p in offered.get("permissions", ())}
    for permission in own.values():
        if permission.site != "county":
            raise refuse(_l("Permission “%(key)s” must be one of counties.", key=permission.name))
    given_to = offered.get("role_templates", {})
    for template, names in given_to.items():
        if template not in ROLE_TEMPLATES:
            known = ", ".join(ROLE_TEMPLATES)
            raise refuse(_l("There is no role template “%(key)s”; there are: %(list)s.", key=template, list=known))
        for given in sorted(names):
            if given not in own:
                raise refuse(
                    _l(
                        "It gives the role template %(key)s “%(right)s”, a right that is not its own.",
                        key=template,
                        right=given,
                    )
                )
            if own[given].sensitive and template != "county_admin":
                raise refuse(_l("“%(right)s” is sensitive: only county_admin may get it from a template.", right=given))
            if given not in given_to.get("county_admin", ()):
                raise refuse(
                    _l(
                        "It gives “%(right)s” to %(key)s and not to county_admin, "
                        "who could then give that role to nobody.",
                        key=template,
                        right=given,
                    )
                )
    for attribute, items in offered.items():
        if attribute in MAPPINGS or attribute in ("permissions", "pages", "api", "commands"):
            continue
        for item in items:
            for permission in _permissions_in(item):
                check_registered(permission, f"{attribute} {key_of(attribute, item)}", own, others)


def check_registered(permission: Permission, where: str, own: Mapping[str, Permission], others: Offer) -> None:
    """Refuse a permission that neither the plugin nor the core registers. ``where`` names what asks for it."""
    core = others.permissions.get(permission.name) if not _of_plugin(others, permission) else None
    if own.get(permission.name) is not permission and core is not permission:
        raise refuse(
            _l("%(where)s asks for the right “%(key)s”, which is not registered.", where=where, key=permission.name)
        )


def _of_plugin(others: Offer, permission: Permission) -> bool:
    return any(permission is p for c, p in others.each("permissions") if not c.core)


def _permissions_in(item: Any) -> Iterable[Permission]:
    for part in (item, *getattr(item, "inputs", ()), *getattr(item, "steps", ())):
        permission = getattr(part, "permission", None)
        if permission is not None:
            yield permission


def _check_details(name: str, offered: Mapping[str, Any], others: Offer) -> None:
    """Values that have only a few choices, and references among registrations."""
    jobs = {kind.key for kind in offered.get("jobs", ())}
    for schedule in offered.get("schedules", ()):
        if schedule.job_kind not in jobs:
            raise refuse(_l("schedules “%(key)s” starts a kind of job that is not its own.", key=schedule.key))
        if schedule.every_seconds < SHORTEST_PERIOD:
            _choice("schedules", schedule.key, "every_seconds", schedule.every_seconds, [f">= {SHORTEST_PERIOD}"])
    for item in offered.get("navigation", ()):
        _choice("navigation", item.key, "group", item.group, r.NAV_GROUPS)
        _choice("navigation", item.key, "site", item.site, ["county"])
        _choice("navigation", item.key, "main", item.main, [False])
        _choice("navigation", item.key, "needs", item.needs, ["", *ITEMS])
    headings = {h: c.key for _, c in others.each("import_columns") for h in (*c.names, *c.aliases)}
    for column in offered.get("import_columns", ()):
        _choice("import_columns", column.key, "kind", column.kind, IMPORT_KINDS)
        _choice("import_columns", column.key, "entity", column.entity, ("household", "person"))
        for heading in (*column.names, *column.aliases):
            if not heading.strip() or headings.setdefault(heading, column.key) != column.key:
                raise refuse(_l("%(what)s “%(key)s” is already there.", what="import_columns", key=heading))
    for register in offered.get("imports", ()):
        part, value, possible = register_fault(register)
        if part:
            _choice("imports", register.key, part, value, [possible])
    for follows in offered.get("follows", ()):
        _check_follows(name, follows)
    for classifier in offered.get("classifiers", ()):
        _check_classifier(classifier)


def _check_follows(name: str, follows: r.Follows) -> None:
    """Rows of its own tables, by columns that are there."""
    _choice("follows", follows.key, "of", follows.of, FOLLOWED)
    table = getattr(follows.model, "__table__", None)
    if table is None or table.schema != f"plugin_{name}" or not issubclass(follows.model, TenantOwned):
        raise refuse(_l("%(what)s “%(key)s” is about a table that is not its own.", what="follows", key=follows.key))
    for column in (follows.column, *follows.unique, *filter(None, [follows.household]), *(follows.erase or ())):
        _choice("follows", follows.key, "column", column, [c.key for c in table.columns])


def _check_classifier(classifier: r.Classifier) -> None:
    for part in ("outcomes", "versions", "inputs", "steps"):
        keys = [item.key for item in getattr(classifier, part)]
        if (part in ("outcomes", "versions") and not keys) or len(set(keys)) < len(keys):
            _choice("classifiers", classifier.key, part, keys, ["unique keys"])
    for outcome in classifier.outcomes:
        _choice("classifiers", classifier.key, f"outcome {outcome.key}: tone", outcome.tone, TONES)
    for given in classifier.inputs:
        _choice("classifiers", classifier.key, f"input {given.key}: kind", given.kind, INPUT_KINDS)
    if classifier.valid_months < 1:
        _choice("classifiers", classifier.key, "valid_months", classifier.valid_months, [">= 1"])


def _choice(what: str, key: str, part: str, value: Any, choices: Iterable[Any]) -> None:
    if value not in tuple(choices):
        raise broken(
            _l(
                "%(what)s “%(key)s”: %(part)s is %(value)s; possible: %(list)s.",
                what=what,
                key=key,
                part=part,
                value=shown(value),
                list=", ".join(str(c) for c in choices),
            )
        )
