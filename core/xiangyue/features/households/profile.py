"""Marks, awards and custom fields of a county, from its profile."""

from __future__ import annotations

import dataclasses

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.db.uow import Uow
from xiangyue.features.households import policy
from xiangyue.features.households.custom_usage import refuse_unreadable
from xiangyue.features.households.models import AwardKind, CustomField, MarkKind
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change
from xiangyue.tenancy.sync import sync_rows


@acts(policy.HOUSEHOLD_EDIT)
def apply_kinds(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """Kinds of marks and awards."""
    marks = {
        m.key: {
            "name": m.name_zh,
            "name_en": m.name_en,
            "sensitivity": m.sensitivity,
            "follows_to_household": m.follows_to_household,
            "source": m.source,
            "position": position,
        }
        for position, m in enumerate(profile.marks)
    }
    awards = {
        a.key: {"name": a.name_zh, "name_en": a.name_en, "position": position}
        for position, a in enumerate(profile.awards)
    }
    return sync_rows(uow, MarkKind, "key", marks, label="mark") + sync_rows(
        uow, AwardKind, "key", awards, label="award"
    )


@acts(policy.HOUSEHOLD_EDIT)
def apply_custom_fields(uow: Uow, profile: Profile, registry: Registry) -> list[Change]:
    """The county's own fields: of those the profile names it sets words, kind and choices; their order and whether they
    are in use belong to the county once they are there. A field that left the profile is retired, its values stay;
    what the county's administrators added is left alone. Raises Conflict when records would lose their meaning."""
    changes: list[Change] = []
    known = {(f.entity, f.key): f for f in uow.session.scalars(select(CustomField))}
    for position, spec in enumerate(profile.custom_fields):
        columns = {
            "type": spec.type,
            "name": spec.label_zh,
            "name_en": spec.label_en,
            "help": spec.help_zh,
            "help_en": spec.help_en,
            "required": spec.required,
            "options": [
                {"key": o["key"], "name": o["label_zh"], "name_en": o["label_en"]}
                for o in map(dataclasses.asdict, spec.options)
            ],
            "from_profile": True,
        }
        row = known.pop((spec.entity, spec.key), None)
        if row is None:
            uow.session.add(CustomField(entity=spec.entity, key=spec.key, position=position, **columns))
            changes.append(Change("add", f"custom field {spec.label_zh}"))
            continue
        refuse_unreadable(uow, row, spec.type, columns["options"])  # type: ignore[arg-type]
        if not row.from_profile:
            columns["active"] = True  # it comes back, or takes over one that the county had made
        for column, new in columns.items():
            old = getattr(row, column)
            if old != new:
                setattr(row, column, new)
                changes.append(Change("change", f"custom field {spec.label_zh} {column}", old, new))
    for row in known.values():
        if row.from_profile:
            row.from_profile = False
            row.active = False
            changes.append(Change("remove", f"custom field {row.name}"))
    uow.session.flush()
    return changes
