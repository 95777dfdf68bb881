"""What happened to a household or person, in words: entries of the audit trail as a timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import select

from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import names
from xiangyue.features.audit.labels import VALUES
from xiangyue.features.audit.words import FIELDS
from xiangyue.features.households import queries
from xiangyue.features.households.models import Household
from xiangyue.features.households.pages.common import HOUSEHOLD_STATES, PERSON_STATES, TABLES, kind_name
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.chinese import has_han
from xiangyue.web import templating
from xiangyue.web.components import TimelineItem
from xiangyue.web.pipeline import runtime

LABELS: dict[str, Any] = {
    "name": _l("Full name"),
    "relation": _l("Relation to head"),
    "sex": _l("Sex"),
    "birth_date": _l("Date of birth"),
    "nationality": _l("Nationality"),
    "id_number": _l("Citizen number"),
    "phone": _l("Phone"),
    "away": _l("Away"),
    "note": _l("Note"),
    "address": _l("Address"),
    "location": _l("Location"),
    "area_code": _l("Village or group"),
    "state": _l("State"),
    "on": _l("Day"),
    "reason": _l("Reason"),
    "mark": _l("Mark"),
    "marks": _l("Marks"),
    "source": _l("Source"),
    "valid_from": _l("Since"),
    "amount": _l("Amount"),
    "income": _l("Income"),
    "income_year": _l("Year"),
    "year": _l("Year"),
    "award": _l("Award"),
    "awarded": _l("Awarded"),
    "code": _l("Household number"),
    "household_id": _l("Household"),
}
#: Said by the action itself, or of no use to a reader.
HIDDEN = {"members", "version"}
#: Looks have a log of their own.
LOOKS = {"mark.read", "person_access.read", "person_access.export"}


@dataclass(frozen=True, slots=True)
class Words:
    """Names that entries speak of by key: areas, marks, awards, own fields."""

    areas: Mapping[int, str]
    marks: Mapping[str, str]
    awards: Mapping[str, str]
    fields: Mapping[str, str]
    heads: Mapping[int, str]

    def label(self, key: str) -> str:
        if key.startswith("custom."):
            return self.fields.get(key.removeprefix("custom."), key)
        return str(LABELS.get(key) or FIELDS.get(key, key))

    def value(self, key: str, value: Any) -> Markup:
        if value is None or value in ("", [], {}):
            return escape(_("empty"))
        if isinstance(value, bool):
            return escape(_("Yes") if value else _("No"))
        if isinstance(value, list):
            return Markup(", ").join(self.value(key.removesuffix("s"), item) for item in value)
        return _marked(str(self._word(key, value)))

    def _word(self, key: str, value: Any) -> Any:
        if key in ("left_behind", "consent_how") and value in VALUES[key]:
            return VALUES[key][value]
        if key in TABLES:
            return TABLES[key].label(str(value))
        if key == "area_code":
            return self.areas.get(int(value), value)
        if key == "mark":
            return self.marks.get(value, value)
        if key == "award":
            return self.awards.get(value, value)
        if key == "state":
            return PERSON_STATES.get(value) or HOUSEHOLD_STATES.get(value, value)
        if key == "household_id":
            return self.heads.get(int(value), value)
        return f"{value:,}" if key in ("amount", "income") and isinstance(value, int) else value


def _marked(text: str) -> Markup:
    """Text of the county is marked as Chinese, so that an English page reads it rightly."""
    if has_han(text):
        return Markup('<span lang="zh-CN">{}</span>').format(text)
    return escape(text)


def words_for(uow: Uow, entries: Iterable[AuditEntry]) -> Words:
    """Everything the entries speak of, in a constant number of statements."""
    values = [v for e in entries for v in (e.before or {}, e.after or {})]
    codes = {int(v["area_code"]) for v in values if v.get("area_code")}
    homes = {int(v["household_id"]) for v in values if v.get("household_id")}
    return Words(
        names(uow, codes),
        {k.key: kind_name(k) for k in queries.mark_kinds(uow, retired=True)},
        {k.key: kind_name(k) for k in queries.award_kinds(uow)},
        {f.key: kind_name(f) for entity in ("household", "person") for f in queries.custom_fields(uow, entity)},
        _head_names(uow, homes),
    )


def _head_names(uow: Uow, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = uow.session.execute(select(Household.id, Household.head_name).where(Household.id.in_(ids)))
    return {row.id: row.head_name for row in rows}


def timeline(uow: Uow, object_type: str, id: int, *, limit: int = 30) -> list[TimelineItem]:
    """Entries about a household with its members, or a person, newest first; looks are left out, changes stay."""
    entries = [e for e in queries.history(uow, object_type, id, limit=limit) if e.action not in LOOKS]
    words = words_for(uow, entries)
    actions = runtime().registry.actions
    items = []
    for entry in entries:
        action = str(actions.get(entry.action, entry.action))
        other = entry.object_type != object_type or entry.object_id != id  # a member, or a record that became part
        about = _marked(entry.object_label) if other else ""
        head = Markup("{} · {}").format(action, about) if about else action
        who = templating.who(entry.actor_name, entry.account_id)
        meta = Markup("{} · {}").format(who, _marked(entry.purpose)) if entry.purpose else who
        items.append(TimelineItem(head, _changes(words, entry), meta, entry.at))
    return items


def _changes(words: Words, entry: AuditEntry) -> Markup:
    before, after = entry.before or {}, entry.after or {}
    lines = []
    for key in {**before, **after}:
        if key in HIDDEN or (key == "household_id" and not before):
            continue
        new = words.value(key, after[key]) if key in after else None
        if key in before and key in after:
            line = Markup("{}: {} → {}").format(words.label(key), words.value(key, before[key]), new)
        elif new is not None:
            line = Markup("{}: {}").format(words.label(key), new)
        else:
            line = Markup("{}: {} → {}").format(words.label(key), words.value(key, before[key]), _("taken away"))
        lines.append(line)
    return Markup("; ").join(lines)
