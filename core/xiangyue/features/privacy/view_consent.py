"""Notices and standings as pages show them: columns and filters."""

from __future__ import annotations

from collections.abc import Mapping

from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy.queries_consent import NoticeFilter, StanderFilter
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.components import Column, Filter

COLUMNS = (
    Column("title", _l("Title"), primary=True),
    Column("kind", _l("Kind")),
    Column("state", _l("State")),
    Column("number", _l("Version"), numeric=True),
    Column("published", _l("Published on")),
    Column("basis", _l("On what ground"), default=False),
    Column("whom", _l("Who is asked"), default=False),
)
STANDER_COLUMNS = (
    Column("name", _l("Full name"), sort=True, primary=True),
    Column("place", _l("Village or group"), sort=True),
    Column("household", _l("Household number"), default=False),
    Column("birth", _l("Date of birth"), default=False),
    Column("standing", _l("How they stand")),
    Column("on", _l("Said on")),
    Column("number", _l("Version"), numeric=True),
)


def filters() -> tuple[Filter, ...]:
    states = [(key, policy.STATES[key]) for key in ("published", "draft", "withdrawn")]
    return (
        Filter("q", _l("Part of the title"), kind="text"),
        Filter("kind", _l("Kind"), choices=list(policy.KINDS_SHORT.items())),
        Filter("state", _l("State"), choices=states),
    )


def wanted(args: Mapping[str, str]) -> NoticeFilter:
    """The conditions of an address; what cannot be read is left out (the list names it)."""
    return NoticeFilter(
        q=args.get("q", "").strip(),
        kind=args["kind"] if args.get("kind") in policy.KINDS else "",
        state=args["state"] if args.get("state") in policy.STATES else "",
    )


def stander_filters() -> tuple[Filter, ...]:
    standings = [("open", _l("To be asked")), *policy.STANDINGS.items()]
    return (
        Filter("q", _l("Name or pinyin"), kind="text"),
        Filter("standing", _l("How they stand"), choices=standings),
    )


def standers(args: Mapping[str, str], area: int) -> StanderFilter:
    """The conditions of an address; what cannot be read is left out (the list names it)."""
    standing = args["standing"] if args.get("standing") in ("open", *policy.STANDINGS) else ""
    return StanderFilter(standing, area, args.get("q", "").strip()[:60])
