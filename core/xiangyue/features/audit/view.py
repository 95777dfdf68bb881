"""The audit list as its page shows it: columns, filters, and rows in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for

from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.audit import queries, words
from xiangyue.features.households.ledgers import LEDGERS
from xiangyue.features.imports.view import STATES as IMPORT_STATES
from xiangyue.features.jobs.view import STATES as JOB_STATES
from xiangyue.features.privacy.service_erase import ERASED
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import installed_offer
from xiangyue.text.whole import whole_number
from xiangyue.web.actors import actor_words
from xiangyue.web.components import Column, Filter
from xiangyue.web.pipeline import current_offer, runtime

COLUMNS = (
    Column("action", _l("What"), primary=True),
    Column("at", _l("When"), sort=True),
    Column("who", _l("Who")),
    Column("thing", _l("Thing")),
    Column("area", _l("Where")),
    Column("changes", _l("Before → after")),
    Column("purpose", _l("Purpose")),
    Column("ip", _l("Address on the network"), default=False),
    Column("request_id", _l("Request"), default=False),
)

#: Where things have their pages, by number.
_PAGES = {
    "household": "/households",
    "person": "/persons",
    "account": "/accounts",
    "job": "/jobs",
    "classification": "/classifications",
    "import_batch": "/imports",
    "privacy_request": "/privacy/requests",
    "notice": "/privacy/notices",
    "organisation": "/organisations",
}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry in words."""

    id: int
    at: datetime
    who: str
    #: Not a person's name.
    system: bool
    action: str
    thing: str
    label: str
    thing_url: str | None
    area: str
    changes: list[words.FieldChange]
    purpose: str
    ip: str
    request_id: str
    url: str


def parse_day(text: str) -> date | None:
    """A day of the address bar; None for an unreadable one, which the list names and leaves out."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def wanted(args: Mapping[str, str]) -> queries.EntryFilter:
    """The conditions of a page's address."""
    return queries.EntryFilter(
        who=args.get("who", "").strip(),
        action=args.get("action", "").strip(),
        object_type=args.get("object_type", "").strip(),
        object_id=whole_number(args.get("object_id", "")),
        since=parse_day(args.get("since", "")),
        until=parse_day(args.get("until", "")),
        number=args.get("number", "").strip(),
        purpose=args["purpose"] if args.get("purpose") in ("yes", "no") else "",
    )


def filters() -> tuple[Filter, ...]:
    actions = sorted(((key, str(label)) for key, label in current_offer().actions.items()), key=lambda p: p[1])
    groups = [(f"{key}.", _("%(thing)s: everything", thing=str(words.THINGS[key]))) for key in _action_things()]
    things = sorted({(key, str(label)) for key, label in words.THINGS.items()}, key=lambda p: p[1])
    given = [("yes", _l("given")), ("no", _l("not given"))]
    return (
        Filter("who", _l("Who"), kind="text", placeholder=_l("Name or sign-in name")),
        Filter("action", _l("What"), choices=[*groups, *actions], open=True),
        Filter("since", _l("From"), kind="date"),
        Filter("until", _l("To"), kind="date"),
        Filter("purpose", _l("Purpose"), choices=given),
        Filter("object_type", _l("Kind of thing"), choices=things, more=True),
        Filter("object_id", _l("Number of the thing"), kind="number", more=True),
        Filter("number", _l("Number of an export"), kind="text", more=True),
    )


def _action_things() -> list[str]:
    prefixes = {key.rpartition(".")[0] for key in current_offer().actions}
    named = {"household", "person", "mark", "area", "import"} | prefixes
    return sorted((key for key in named if key in words.THINGS), key=lambda key: str(words.THINGS[key]))


def words_for(uow: Uow, entries: list[AuditEntry] | None) -> words.Words:
    """Words for these entries; for whatever comes when None."""
    codes = None if entries is None else words.area_codes(entries)
    registry = runtime().registry

    def right(name: str) -> Any:
        found = registry.permissions.get(name)
        return None if found is None else found.label

    names = {key: words.Shown(name, data) for key, (name, data) in queries.own_names(uow).items()}
    for kind in ("household", "person"):
        of_kind = queries.record_names(uow, kind, words.records(entries or (), kind))
        names |= {(kind, str(number)): words.Shown(name, True) for number, name in of_kind.items()}
    for list_, called in _known(uow).items():
        names |= {(list_, key): words.Shown(str(label)) for key, label in called.items()}
    return words.Words(registry.actions, queries.area_names(uow, codes), right, names)


def _known(uow: Uow) -> dict[str, dict[str, Any]]:
    """What the core and plugins call the things that entries know by keys, by list."""
    registry, offer = runtime().registry, installed_offer(uow)
    follows = {f"follows:{item.key}": item.label for _by, item in offer.each("follows")}
    listed = [item for list_ in ("household_columns", "household_filters") for _by, item in offer.each(list_)]
    return {
        "classifier": {key: rule.label for key, rule in registry.classifiers.items()},
        "job": {**registry.retired, **{key: kind.label for key, kind in registry.jobs.items()}},
        "job state": JOB_STATES,
        "import state": IMPORT_STATES,
        "ledger": {key: ledger.label for key, ledger in LEDGERS.items()},
        "erased": {**ERASED, **follows},
        "column": {item.key: item.label for item in listed},
    }


def rows(uow: Uow, entries: Iterable[AuditEntry]) -> list[Row]:
    """A page of entries in words."""
    listed = list(entries)
    spoken = words_for(uow, listed)
    return [row(spoken, entry) for entry in listed]


def row(spoken: words.Words, entry: AuditEntry) -> Row:
    return Row(
        id=entry.id,
        at=entry.at,
        who=_who(entry),
        system=entry.actor_kind == "system" or not entry.actor_name,
        action=spoken.action(entry.action),
        thing=spoken.thing(entry.object_type),
        label=spoken.called(entry.object_type, entry.object_label)
        or (f"#{entry.object_id}" if entry.object_id is not None else ""),
        thing_url=_thing_url(entry),
        area=spoken.area(entry.area_code),
        changes=spoken.changes(entry),
        # The console's own reasons are stored in English; people's are theirs.
        purpose=_(entry.purpose) if entry.purpose and entry.action == "operator.read" else entry.purpose,
        ip=entry.ip,
        request_id=entry.request_id,
        url=url_for("audit.show_entry", id=entry.id),
    )


def _who(entry: AuditEntry) -> str:
    """A person's name; the system's own acts and those before sign-in have words."""
    if entry.actor_kind == "system":
        return actor_words(entry.actor_name)
    return entry.actor_name or _("nobody")


def _thing_url(entry: AuditEntry) -> str | None:
    folder = _PAGES.get(entry.object_type)
    return None if folder is None or entry.object_id is None else f"{folder}/{entry.object_id}"


def change_text(change: words.FieldChange) -> str:
    """A change as one line of a spreadsheet."""
    if change.before is None:
        return f"{change.label}: {change.after.text if change.after else ''}"
    after = change.after.text if change.after else _("taken away")
    return f"{change.label}: {change.before.text} → {after}"
