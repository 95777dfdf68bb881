"""A plugin's settings and switching as page and API show them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from werkzeug.datastructures import MultiDict

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.plugins.brings import brought_by
from xiangyue.features.plugins.queries import Standing
from xiangyue.features.plugins.service import plugin_settings
from xiangyue.features.plugins.settings_choices import asked, asking, stray_faults, with_strays
from xiangyue.features.plugins.settings_form import (
    NO_COUNTY,
    OfCounty,
    SettingField,
    as_data,
    every_field,
    form_fields,
    form_values,
    value_at,
)
from xiangyue.features.plugins.settings_input import checked, typed
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import guarded
from xiangyue.web.components import ConflictRow

#: By path in the settings.
Faults = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Settings:
    """A plugin's settings in a county. ``data``: as JSON, defaults filled in. ``fault``: why they cannot be shown; the
    plugin's own schema or words raised. ``county``: choices that the county gives, by path."""

    schema: Schema
    fields: tuple[SettingField, ...] = ()
    data: Mapping[str, Any] | None = None
    fault: Any = ""
    county: OfCounty = dataclasses.field(default_factory=lambda: NO_COUNTY)

    @property
    def values(self) -> dict[str, Any]:
        """What stands in the form."""
        return form_values(self.fields, self.data or {})


def settings_of(uow: Uow, found: Standing) -> Settings | None:
    """None for a plugin without settings and for one that was not taken in."""
    if found.installed is None or found.installed.contributor is None:
        return None
    manifest = found.installed.manifest
    if manifest is None or manifest.settings is None:
        return None
    schema = manifest.settings

    def build() -> Settings:
        made = schema()
        data = as_data(made, plugin_settings(uow, found.name))
        county = _county_choices(uow, found, made, data)
        return Settings(made, form_fields(made, county), data, county=county)

    shown: Settings | None = guarded(uow, found.installed.contributor, "settings", build, expect=Settings)
    if shown is None:  # its page must still open, to switch it off
        return Settings(Schema(), fault=_l("Its settings schema fails; what went wrong stands among its faults."))
    return shown if shown.fields else None


def _county_choices(uow: Uow, found: Standing, schema: Schema, data: Mapping[str, Any]) -> OfCounty:
    """Choices by path, with the keys that stand and the county has not. A field whose choices fail is left out: its
    keys are typed."""
    assert found.installed is not None
    assert found.installed.contributor is not None
    known = {}
    for path, ask in asking(schema):
        call = functools.partial(asked, ask, uow)
        choices = guarded(uow, found.installed.contributor, f"settings:{path}", call, expect=tuple)
        if choices is not None:
            known[path] = with_strays(choices, value_at(data, path))
    return known


def judged(uow: Uow, found: Standing, settings: Settings, values: Mapping[str, Any], faults: Faults) -> None:
    """Let the schema look at settings (JSON), and whether the county has what was chosen. Raises Invalid with the
    faults of both and with ``faults``."""

    def judge() -> Invalid | None:
        problems: dict[str, Any] = {}
        try:
            checked(settings.schema, values, faults)
        except Invalid as error:
            problems = dict(error.fields)
        for path, texts in stray_faults(settings.fields, values).items():
            if not any(p == path or p.startswith(f"{path}.") for p in problems):
                problems[path] = texts
        return Invalid(problems) if problems else None

    assert found.installed is not None
    assert found.installed.contributor is not None
    nothing = Invalid({"": [_l("Its settings schema fails; what went wrong stands among its faults.")]})
    fault = guarded(uow, found.installed.contributor, "settings", judge, expect=Invalid, default=nothing)
    if fault is not None:
        raise fault


def conflict_rows(settings: Settings, form: MultiDict[str, str]) -> list[ConflictRow]:
    """What was typed beside what stands now, for every field."""
    mine, _faults = typed(settings.schema, form, settings.county)
    rows = []
    for field in every_field(settings.fields):
        ours, theirs = value_at(mine, field.path), value_at(settings.data or {}, field.path)
        stands = settings.values[field.name]
        take = ",".join(stands) if isinstance(stands, list) else stands
        rows.append(ConflictRow(field.name, field.label, field.said(ours), field.said(theirs), take=take))
    return rows


def merged(before: Mapping[str, Any], given: Mapping[str, Any], fields: Sequence[SettingField]) -> dict[str, Any]:
    """Settings with those that were given; what is left out stays as it is, also inside a section."""
    sections = {field.path for field in fields if field.kind == "section"}
    found = {**before, **given}
    for name in sections & given.keys():
        inner, old = given[name], before.get(name)
        if isinstance(inner, Mapping) and isinstance(old, Mapping):
            found[name] = {**old, **inner}
    return found


def question(found: Standing) -> str:
    """What happens when it is switched: asked before it is done."""
    brings = brought_by(found.installed) if found.installed is not None else []
    kinds = _(", ").join(str(b.label) for b in brings if b.key not in ("jobs", "prevents", "follows"))
    if found.enabled:
        gone = _("At once gone for everybody in the county: %(things)s.", things=kinds) if kinds else ""
        kept = _("Its settings and its data are kept: switched on again, all is there as before.")
        return " ".join([*([gone] if gone else []), kept])
    appears = _("At once there for those who have its rights: %(things)s.", things=kinds) if kinds else ""
    back = _("It can be switched off at any time; its data are kept then.")
    return " ".join([*([appears] if appears else []), back])
