"""A person's access log in words: columns, filters, what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import MarkKind
from xiangyue.features.privacy import policy
from xiangyue.features.privacy.queries_log import LogFilter, Look
from xiangyue.i18n import join_words, ngettext, pick
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.actors import actor_words
from xiangyue.web.components import Column, Filter

COLUMNS = (
    Column("at", _l("When"), primary=True),
    Column("who", _l("Who")),
    Column("way", _l("In which way")),
    Column("seen", _l("What was seen")),
    Column("purpose", _l("Purpose")),
)


def filters() -> tuple[Filter, ...]:
    return (
        Filter("who", _l("Who"), kind="text"),
        Filter("way", _l("In which way"), choices=list(policy.WAYS.items())),
        Filter("seen", _l("What was seen"), choices=list(policy.SEEN.items())),
        Filter("since", _l("From"), kind="date"),
        Filter("until", _l("To"), kind="date"),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def wanted(args: Mapping[str, str]) -> LogFilter:
    """The conditions of an address; what cannot be read is left out (the list names it)."""
    return LogFilter(
        who=args.get("who", "").strip(),
        way=args["way"] if args.get("way") in policy.WAYS else "",
        seen=args["seen"] if args.get("seen") in policy.SEEN else "",
        since=_day(args.get("since", "")),
        until=_day(args.get("until", "")),
    )


def mark_names(uow: Uow) -> dict[str, str]:
    return {kind.key: pick(kind.name, kind.name_en) for kind in uow.session.scalars(select(MarkKind))}


def who(look: Look) -> str:
    return actor_words(look.actor_name, look.account_id)


def way(look: Look) -> str:
    """Page, API …; of an export its number."""
    words = str(policy.WAYS.get(look.way, look.way))
    return f"{words} {look.number}".strip()


def seen(look: Look, names: Mapping[str, str]) -> str:
    """Sensitive marks by name; how many persons were seen together."""
    words = str(policy.SEEN.get(look.seen, look.seen))
    if look.seen == "marks" and look.detail:
        words += ": " + join_words(names.get(key, key) for key in look.detail.split(","))
    if look.persons > 1:
        together = ngettext("with %(n)s other", "with %(n)s others", look.persons - 1, n=f"{look.persons - 1:,}")
        words += f" ({together})"
    return words
