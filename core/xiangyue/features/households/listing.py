"""Parts of the fast lists: conditions with their parameters, keyset pages, which marks the reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.access.sensitive import sensitive_ranges
from xiangyue.db.paging import decode_as, encode_cursor, unreadable
from xiangyue.db.scope import Range, merge_ranges
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, PurposeNeeded
from xiangyue.features.areas import queries as areas
from xiangyue.features.households import policy
from xiangyue.features.households.identifiers import number_index
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.folding import half_width
from xiangyue.text.pinyin import fold

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

Ranges = tuple[Range, ...] | None
#: Who has a citizen number: also whoever another record of this number was merged into.
_NUMBERED = "SELECT coalesce(o.merged_into_id, o.id) FROM person o WHERE {tenant:o} AND o.id_number_index = :identity"
#: Behind every character there is: the end of a range of texts with the same beginning.
LAST = "\U0010ffff"


@dataclass
class Page:
    """Rows as dicts and the cursors of the neighbouring pages."""

    items: list[dict[str, Any]]
    next: str | None = None
    back: str | None = None


@dataclass
class Conditions:
    """SQL conditions, joined by AND, with their named parameters."""

    parts: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)

    def add(self, sql: str, **params: Any) -> None:
        self.parts.append(sql)
        self.params.update(params)

    def sql(self) -> str:
        return "".join(f" AND {part}" for part in self.parts)


@dataclass(frozen=True)
class Sort:
    """``column``: SQL of the value; ``kind``: of what it holds, as ``db.paging.decode_as`` reads it from a cursor."""

    column: str
    kind: type


def sorted_by(sorts: Mapping[str, Sort], sort: str) -> tuple[Sort, bool]:
    """(sort, descending). Raises Invalid on ``sort``."""
    found = sorts.get(sort.removeprefix("-"))
    if found is None:
        raise Invalid({"sort": [_l("Unknown: %(unknown)s. Known: %(known)s.", unknown=sort, known=", ".join(sorts))]})
    return found, sort.startswith("-")


def fetch_page(
    uow: Uow,
    select: str,
    conditions: Conditions,
    *,
    alias: str,
    area: int,
    sort: str,
    sorts: Mapping[str, Sort],
    limit: int,
    after: str | None,
    before: str | None,
) -> tuple[list[tuple[Any, ...]], str | None, str | None]:
    """Rows of a page by keyset over (sort value, id), and the cursors of its neighbours.

    ``select`` goes up to and with its WHERE {scope:…}; its last two columns are the sort value and the id. Raises
    Invalid for a cursor that is unreadable or of another order.
    """
    chosen, descending = sorted_by(sorts, sort)
    backwards = before is not None
    ascending = descending == backwards
    mark = after if after is not None else before
    if mark is not None:
        value, last_id = _cursor(mark, sort, chosen)
        conditions.add(
            f"({chosen.column}, {alias}.id) {'>' if ascending else '<'} (:key, :last_id)", key=value, last_id=last_id
        )
    order = "ASC" if ascending else "DESC"
    statement = (
        f"{select}{conditions.sql()} ORDER BY {chosen.column} {order}, {alias}.id {order} LIMIT {int(limit) + 1}"
    )
    scope = uow.scope.narrowed(area) if area else uow.scope
    rows = scoped_rows(uow.session, statement, conditions.params, scope=scope)
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    if not rows:
        return [], None, None
    has_next = more or backwards
    has_back = more if backwards else after is not None
    return (
        rows,
        encode_cursor(sort, *rows[-1][-2:]) if has_next else None,
        encode_cursor(sort, *rows[0][-2:]) if has_back else None,
    )


def _cursor(cursor: str, sort: str, chosen: Sort) -> tuple[Any, int]:
    made_for, value, last_id = decode_as(cursor, str, chosen.kind, int)
    if made_for != sort:
        raise unreadable()
    return value, last_id


def within(alias: str, ranges: Ranges, name: str, params: dict[str, Any]) -> str:
    """Condition that a row lies in ``ranges`` (None: anywhere); its parameters go into ``params``."""
    if ranges is None:
        return "true"
    parts = []
    for i, (lo, hi) in enumerate(ranges):
        params[f"{name}_lo{i}"], params[f"{name}_hi{i}"] = lo, hi
        parts.append(f"{alias}.area_code BETWEEN :{name}_lo{i} AND :{name}_hi{i}")
    return f"({' OR '.join(parts)})" if parts else "false"


@dataclass(frozen=True)
class MarkRights:
    """Keys of mark kinds the reader may see: ``normal`` everywhere, ``sensitive`` in ``ranges`` only, ``closed`` only
    once they have said what for."""

    normal: list[str]
    sensitive: list[str]
    ranges: Ranges
    closed: list[str]

    def visible(self, alias: str, params: dict[str, Any]) -> str:
        """Condition on a person_mark row."""
        params["marks_normal"] = self.normal
        if not self.sensitive:
            return f"{alias}.mark_key = ANY(:marks_normal)"
        params["marks_sensitive"] = self.sensitive
        place = within(alias, self.ranges, "marks", params)
        return f"({alias}.mark_key = ANY(:marks_normal) OR ({alias}.mark_key = ANY(:marks_sensitive) AND {place}))"


def mark_rights(uow: Uow, *, follows_only: bool = False) -> MarkRights:
    """What the actor may see of the county's marks; ``follows_only``: those a household takes over from its members."""
    rows = scoped_rows(
        uow.session,
        "SELECT k.key, k.sensitivity, k.follows_to_household FROM mark_kind k WHERE {tenant:k} ORDER BY k.position",
    )
    rows = [row for row in rows if row[2] or not follows_only]
    sensitive = [key for key, sensitivity, _f in rows if sensitivity != "normal"]
    ranges = sensitive_ranges(uow, policy.SENSITIVE_VIEW)
    return MarkRights(
        [key for key, sensitivity, _f in rows if sensitivity == "normal"],
        sensitive if ranges != () else [],
        ranges,
        sensitive if ranges == () and uow.actor.can(policy.SENSITIVE_VIEW) else [],
    )


def add_marks(uow: Uow, conditions: Conditions, marks: Sequence[str], owner: str, column: str) -> None:
    """Only rows with all these marks. A sensitive kind is unknown to those who may not see it: Invalid on ``mark``."""
    if not marks:
        return
    rights = mark_rights(uow)
    for i, key in enumerate(marks):
        place = "true"
        if key in rights.sensitive:
            place = within("m", rights.ranges, "marked", conditions.params)
        elif key in rights.closed:
            raise PurposeNeeded({"mark": [_l("This mark is sensitive: say what you need it for (header X-Purpose).")]})
        elif key not in rights.normal:
            raise Invalid({"mark": [_l("There is no mark “%(mark)s”.", mark=key)]})
        conditions.add(
            f"{owner} IN (SELECT m.{column} FROM person_mark m"
            f" WHERE {{scope:m}} AND m.mark_key = :mark{i} AND m.valid_to IS NULL AND {place})",
            **{f"mark{i}": key},
        )


def identity_ranges(uow: Uow) -> Ranges:
    """Where the actor may find a person by citizen number: to edit, or to see it in full."""
    found: list[Range] = []
    for permission in (policy.HOUSEHOLD_EDIT, policy.IDENTIFIER_REVEAL):
        ranges = uow.actor.ranges(permission)
        if ranges is None:
            return None
        found += ranges
    return merge_ranges(found)


def add_search(uow: Uow, conditions: Conditions, q: str, keys: TenantKeys | None, *, of_persons: bool) -> None:
    """Name, pinyin or initials from any character on; start of the household's code; full citizen number
    or its seal."""
    index = number_index(keys, q)
    if index is not None:
        place = within("p" if of_persons else "i", identity_ranges(uow), "identity", conditions.params)
        if of_persons:
            conditions.add(f"p.id IN ({_NUMBERED}) AND {place}", identity=index)
        else:
            conditions.add(
                "h.id IN (SELECT i.household_id FROM person i"
                f" WHERE {{scope:i}} AND i.id IN ({_NUMBERED}) AND {place})",
                identity=index,
            )
        return
    word = fold(half_width(q))
    if not word:
        return
    bounds = {"q": word, "q_end": word + LAST}
    if word.isascii() and word.isdigit():
        if of_persons:
            conditions.add(
                "p.household_id IN (SELECT c.id FROM household c WHERE {scope:c} AND c.code >= :q AND c.code < :q_end)",
                **bounds,
            )
        else:
            conditions.add("h.code >= :q AND h.code < :q_end", **bounds)
        return
    owner, column = ("p.id", "id") if of_persons else ("h.id", "household_id")
    conditions.add(
        f"{owner} IN (SELECT n.{column} FROM name_suffix n WHERE {{scope:n}} AND n.suffix >= :q AND n.suffix < :q_end)",
        **bounds,
    )


def known_fields(wanted: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    """``wanted`` in the list's own order. Raises Invalid on ``fields``."""
    asked = list(wanted)
    unknown = [name for name in asked if name not in known]
    if unknown:
        message = _l("Unknown: %(unknown)s. Known: %(known)s.", unknown=", ".join(unknown), known=", ".join(known))
        raise Invalid({"fields": [message]})
    return [name for name in known if name in asked]


def set_area_names(uow: Uow, items: list[dict[str, Any]], codes: Sequence[int]) -> None:
    """``area_name``: village and group, whatever the reader's area: names of areas are no secret."""
    places = areas.places(uow, codes)
    for item, code in zip(items, codes, strict=True):
        item["area_name"] = places.get(code, "")
