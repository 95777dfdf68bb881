"""``[plugins.…]`` of a county's profile: which are on, and their settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.features.plugins import policy
from xiangyue.features.plugins.service import SWITCHED
from xiangyue.features.plugins.settings_input import flat
from xiangyue.features.plugins.stored import as_stored, forget_settings
from xiangyue.i18n import _
from xiangyue.plugin.dispatch import publish_to, unpause
from xiangyue.plugin.manager import Registry
from xiangyue.plugin.models import TenantPlugin
from xiangyue.tenancy.enablement import plugins_changed
from xiangyue.tenancy.profile import ProfileErrors, ProfileProblem, problem_at
from xiangyue.tenancy.profile_types import PluginSpec, Profile
from xiangyue.tenancy.provision import Change


@acts(policy.PLUGIN_MANAGE)
def apply_plugins(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """Bring over what the profile says of plugins and did not say before.

    What the county changed itself stays as long as its profile says the same as ever. A plugin that the profile no
    longer names is switched off. One that is not installed keeps what is said until it is. Raises ProfileErrors.
    """
    _judge(profile, registry)
    rows = {row.name: row for row in uow.session.scalars(select(TenantPlugin))}
    changes: list[Change] = []
    for position, spec in enumerate(profile.plugins, 1):
        row = rows.get(spec.name)
        if row is None:
            row = TenantPlugin(name=spec.name, enabled=False, settings={}, version=0, profile=None)
            uow.session.add(row)
            changes.append(Change("add", f"plugin {spec.name}"))
        changes += _follow(row, spec)
        row.position = position
    named = {spec.name for spec in profile.plugins}
    for row in rows.values():
        if row.name not in named and row.profile is not None:
            row.profile = None
            row.enabled = False
            row.version += 1
            changes.append(Change("remove", f"plugin {row.name}"))
    before = _on(uow)
    if changes:
        plugins_changed(uow)
    for name in before ^ _on(uow):
        unpause(uow, name)
        installed = registry.installed.get(name)
        if installed is not None and installed.contributor is not None:
            publish_to(uow, installed.contributor, SWITCHED, enabled=name not in before)
    forget_settings(uow)
    return changes


def _follow(row: TenantPlugin, spec: PluginSpec) -> list[Change]:
    """Make the row what the profile newly says; the lines of the plan for what is no mere addition."""
    said: dict[str, Any] = {"enabled": spec.enabled, "settings": as_stored(spec.settings)}
    was: dict[str, Any] = row.profile or {}
    first = not row.version
    changes = []
    for key, value in said.items():
        if was.get(key) != value and getattr(row, key) != value:
            if not first:
                changes.append(Change("change", f"plugin {spec.name} {key}", getattr(row, key), value))
            setattr(row, key, value)
    if row.profile != said:
        if not changes and not first:
            # The county has it so already; from now on its profile says so too.
            changes.append(Change("change", f"plugin {spec.name} profile", row.profile, said))
        row.profile = said
        row.version += 1
    return changes


def _on(uow: Uow) -> set[str]:
    with uow.session.no_autoflush:
        return set(uow.session.scalars(select(TenantPlugin.name).where(TenantPlugin.enabled)))


def _judge(profile: Profile, registry: Registry) -> None:
    problems = list(_problems(profile, registry))
    if problems:
        raise ProfileErrors(problems)


def _problems(profile: Profile, registry: Registry) -> Iterator[ProfileProblem]:
    on = {spec.name for spec in profile.plugins if spec.enabled}
    for spec in profile.plugins:
        installed = registry.installed.get(spec.name)
        if installed is None or installed.manifest is None:
            continue
        for needed in installed.manifest.requires:
            if spec.enabled and needed not in on:
                yield problem_at(
                    profile, f"plugins.{spec.name}", _("needs the plugin '%(name)s', which is not on", name=needed)
                )
        path = f"plugins.{spec.name}.settings"
        schema = installed.manifest.settings
        if schema is None:
            if spec.settings:
                yield problem_at(profile, path, _("this plugin has no settings"))
            continue
        try:
            schema().load(as_stored(spec.settings))
        except ValidationError as error:
            for key, texts in flat(error.messages).items():
                for text in texts:
                    yield problem_at(profile, f"{path}.{key}".rstrip("."), str(text))
        except Exception as error:
            yield problem_at(profile, path, _("its settings schema fails (%(kind)s)", kind=type(error).__name__))
