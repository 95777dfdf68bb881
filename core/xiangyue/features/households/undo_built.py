"""What was built on an import since it was written, row by row: while there is anything, it cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xiangyue.db.references import Reference, references_to
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.i18n import lazy_gettext as _l

# ruff: noqa: S608 - statements are put together from constants and names that PostgreSQL itself gave

#: What stands in the way, in the words of the list.
WHATS: dict[str, Any] = {
    "edited": _l("Changed afterwards"),
    "imported": _l("Changed by a later import"),
    "joined": _l("Came into the household afterwards"),
    "act": _l("A change of the register was recorded"),
    "mark": _l("Mark given or ended afterwards"),
    "income": _l("Income recorded afterwards"),
    "award": _l("Award recorded afterwards"),
    "classification": _l("Classification decided by people"),
    "record": _l("Has a record"),
    "origin": _l("The household it came from is closed or gone"),
    "place": _l("The village or group it came from is no longer in use"),
    "number": _l("Somebody else has the former citizen number now"),
    "gone": _l("No longer there"),
    "outside": _l("Lies outside your area by now"),
}

#: Tables whose rows go with the household or person, or are looked at one by one below.
OWN = frozenset(
    {
        "person", "person_mark", "household_income", "household_award", "custom_value", "name_suffix",
        "household_piece", "household_member", "classification",
    }
)  # fmt: skip

#: Rows that follow from the register by themselves and go with the household: a record is what people did with them.
FOLLOWING = {
    "public.grid_household": " AND EXISTS (SELECT 1 FROM grid_change w WHERE {tenant:w}"
    " AND w.id IN (x.opened_by, x.ended_by) AND w.kind <> 'register')",
}

#: Conditions on what the import itself made.
MADE_HOUSEHOLD = "h.id BETWEEN :h_lo AND :h_hi AND h.created_at = CAST(:at AS timestamptz)"
MADE_PERSON = "p.id BETWEEN :p_lo AND :p_hi AND p.created_at = CAST(:at AS timestamptz)"


@dataclass(frozen=True, slots=True)
class Written:
    """An import as it was written: its number, the time of its transaction, and between which ids (first, last) the
    households and persons lie that it made; (0, 0) for none."""

    batch_id: int
    at: datetime
    households: tuple[int, int] = (0, 0)
    persons: tuple[int, int] = (0, 0)

    def as_dict(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "households": list(self.households), "persons": list(self.persons)}

    @classmethod
    def from_dict(cls, batch_id: int, kept: dict[str, Any]) -> Written:
        at = datetime.fromisoformat(kept["at"])
        return cls(batch_id, at, tuple(kept["households"]), tuple(kept["persons"]))

    def params(self) -> dict[str, Any]:
        """For the statements of an undo."""
        (h_lo, h_hi), (p_lo, p_hi) = self.households, self.persons
        return {"batch": self.batch_id, "at": self.at, "h_lo": h_lo, "h_hi": h_hi, "p_lo": p_lo, "p_hi": p_hi}


@dataclass(frozen=True, slots=True)
class Built:
    """One thing in the way. ``what``: a key of `WHATS`; ``entity``: household or person, ``id`` its id and
    ``household_id`` the household's (None when it is gone); ``detail``: the table of a record."""

    what: str
    entity: str
    id: int
    label: str
    code: str
    household_id: int | None
    area_code: int
    at: datetime | None
    detail: str

    @property
    def key(self) -> tuple[str, int, str, str]:
        """Its place in the list."""
        return self.entity, self.id, self.what, self.detail


_HOUSEHOLD = "'household', h.id, h.head_name, h.code, h.id, h.area_code"
_PERSON = "'person', p.id, p.name, '', p.household_id, p.area_code"
_LATER = "CASE WHEN {a}.import_batch_id > :batch THEN 'imported' ELSE 'edited' END"
#: Whether a row that an import made is no longer in its first version, or one that an undo made the same.
_TOUCHED = """({a}.version <> 1 AND NOT EXISTS (
       SELECT 1 FROM import_change same
        WHERE {{tenant:same}} AND same.kind = 'same_{kind}' AND same.id = {a}.id AND same.version = {a}.version))"""
_ENDED = "(m.updated_at <> m.created_at OR m.valid_to IS NOT NULL)"


def _changed(alias: str, table: str, shown: str) -> Iterator[str]:
    """What the import changed and somebody changed again, or took away."""
    yield f"""
SELECT {_LATER.format(a=alias)}, {shown}, {alias}.updated_at, ''
  FROM import_change c JOIN {table} {alias} ON {alias}.id = c.id
 WHERE {{tenant:c}} AND {{tenant:{alias}}} AND c.batch_id = :batch AND c.kind = '{table}'
   AND {alias}.version IS DISTINCT FROM c.version
"""
    yield f"""
SELECT 'imported', {shown}, {alias}.updated_at, ''
  FROM import_change c JOIN import_change d ON d.kind = c.kind AND d.id = c.id JOIN {table} {alias} ON {alias}.id = c.id
 WHERE {{tenant:c}} AND {{tenant:d}} AND {{tenant:{alias}}} AND c.batch_id = :batch AND c.kind = '{table}'
   AND d.batch_id > :batch
"""
    yield f"""
SELECT 'gone', '{table}', c.id, coalesce(c.before->>'name', c.before->>'head_name', ''), '', NULL, 0, NULL, ''
  FROM import_change c
 WHERE {{tenant:c}} AND c.batch_id = :batch AND c.kind = '{table}'
   AND NOT EXISTS (SELECT 1 FROM {table} o WHERE {{tenant:o}} AND o.id = c.id)
"""


def _made(alias: str, table: str, shown: str, made: str) -> Iterator[str]:
    """What the import made and somebody changed, or a later import added to."""
    yield f"""
SELECT {_LATER.format(a=alias)}, {shown}, {alias}.updated_at, ''
  FROM {table} {alias} WHERE {{tenant:{alias}}} AND {made} AND {_TOUCHED.format(a=alias, kind=table)}
"""
    yield f"""
SELECT 'imported', {shown}, {alias}.updated_at, ''
  FROM {table} {alias} JOIN import_change d ON d.id = {alias}.id
 WHERE {{tenant:{alias}}} AND {{tenant:d}} AND {made} AND d.kind = '{table}' AND d.batch_id > :batch
"""


def _hanging(what: str, table: str, alias: str, made_touched: str, touched: str, owner: str) -> Iterator[str]:
    """Rows of a kind that hang on a household or person: on one that was made, any other or a changed one; of those
    added elsewhere, the changed ones."""
    shown = _HOUSEHOLD if owner == "h" else _PERSON
    key, whole, made = (
        ("household_id", "household", MADE_HOUSEHOLD) if owner == "h" else ("person_id", "person", MADE_PERSON)
    )
    yield f"""
SELECT '{what}', {shown}, {alias}.updated_at, ''
  FROM {whole} {owner} JOIN {table} {alias} ON {alias}.{key} = {owner}.id
 WHERE {{tenant:{owner}}} AND {{tenant:{alias}}} AND {made}
   AND ({alias}.created_at <> CAST(:at AS timestamptz) OR {made_touched})
"""
    yield f"""
SELECT '{what}', {shown}, {alias}.updated_at, ''
  FROM import_change c JOIN {table} {alias} ON {alias}.id = c.id JOIN {whole} {owner} ON {owner}.id = {alias}.{key}
 WHERE {{tenant:c}} AND {{tenant:{alias}}} AND {{tenant:{owner}}} AND c.batch_id = :batch AND c.kind = '{what}'
   AND {touched}
"""


_PIECES: dict[str, Sequence[str]] = {
    "household": tuple(_changed("h", "household", _HOUSEHOLD)),
    "person": tuple(_changed("p", "person", _PERSON)),
    "made": (
        *_made("h", "household", _HOUSEHOLD, MADE_HOUSEHOLD),
        *_made("p", "person", _PERSON, MADE_PERSON),
    ),
    "joined": (
        f"""
SELECT 'joined', {_PERSON}, p.updated_at, ''
  FROM household h JOIN household_member k ON k.household_id = h.id JOIN person p ON p.id = k.person_id
 WHERE {{tenant:h}} AND {{tenant:k}} AND {{tenant:p}} AND {MADE_HOUSEHOLD} AND NOT ({MADE_PERSON})
   AND NOT EXISTS (SELECT 1 FROM import_change c WHERE {{tenant:c}} AND c.batch_id = :batch AND c.kind = 'person'
                      AND c.id = p.id AND jsonb_exists(c.before, 'members'))
""",
    ),
    "act": tuple(
        f"""
SELECT 'act', {shown}, NULL, '' FROM {table} {alias}
  JOIN register_act_part a ON a.kind = '{table}' AND a.thing_id = {alias}.id
 WHERE {{tenant:{alias}}} AND {{tenant:a}} AND {made}
"""
        for table, alias, shown, made in (
            ("household", "h", _HOUSEHOLD, MADE_HOUSEHOLD),
            ("person", "p", _PERSON, MADE_PERSON),
        )
    ),
    "mark": tuple(_hanging("mark", "person_mark", "m", _ENDED, _ENDED, "p")),
    "income": tuple(
        _hanging(
            "income", "household_income", "i", _TOUCHED.format(a="i", kind="income"), "i.version <> c.version", "h"
        )
    ),
    "award": tuple(
        _hanging("award", "household_award", "a", _TOUCHED.format(a="a", kind="award"), "a.version <> c.version", "h")
    ),
    "classification": (
        f"""
SELECT 'classification', {_HOUSEHOLD}, max(k.updated_at), ''
  FROM household h JOIN classification k ON k.household_id = h.id
 WHERE {{tenant:h}} AND {{tenant:k}} AND {MADE_HOUSEHOLD}
   AND (k.outcome <> '' OR k.step > 0
        OR EXISTS (SELECT 1 FROM classification_event e WHERE {{tenant:e}} AND e.classification_id = k.id))
 GROUP BY h.id, h.head_name, h.code, h.area_code
""",
    ),
    "origin": (
        f"""
SELECT 'origin', {_PERSON}, NULL, ''
  FROM import_change c JOIN person p ON p.id = c.id
 WHERE {{tenant:c}} AND {{tenant:p}} AND c.batch_id = :batch AND c.kind = 'person'
   AND jsonb_exists(c.before, 'household_id') AND NOT EXISTS (
       SELECT 1 FROM household o
        WHERE {{tenant:o}} AND o.state = 'active' AND o.id = CAST(c.before->>'household_id' AS bigint))
""",
    ),
    "place": (
        f"""
SELECT 'place', {_HOUSEHOLD}, NULL, ''
  FROM import_change c JOIN household h ON h.id = c.id
 WHERE {{tenant:c}} AND {{tenant:h}} AND c.batch_id = :batch AND c.kind = 'household'
   AND jsonb_exists(c.before, 'area_code') AND NOT EXISTS (
       SELECT 1 FROM area a WHERE {{tenant:a}} AND a.active AND a.area_code = CAST(c.before->>'area_code' AS bigint))
""",
    ),
    "number": (
        f"""
SELECT 'number', {_PERSON}, NULL, ''
  FROM import_change c JOIN person p ON p.id = c.id
  JOIN person o ON o.id_number_index = CAST(c.before->>'id_number_index' AS bytea)
 WHERE {{tenant:c}} AND {{tenant:p}} AND {{tenant:o}} AND c.batch_id = :batch AND c.kind = 'person'
   AND c.before->>'id_number_index' IS NOT NULL AND o.id <> c.id AND o.created_at <> CAST(:at AS timestamptz)
""",
    ),
}
#: What the import made or changed that lies outside the actor's area; nothing for those who have the whole county.
_OUTSIDE = (
    f"SELECT 'outside', {_HOUSEHOLD}, NULL, '' FROM household h"
    f" WHERE {{tenant:h}} AND {MADE_HOUSEHOLD} AND NOT {{scope:h}}",
    f"SELECT 'outside', {_PERSON}, NULL, '' FROM person p WHERE {{tenant:p}} AND {MADE_PERSON} AND NOT {{scope:p}}",
    f"""
SELECT 'outside', {_HOUSEHOLD}, NULL, '' FROM import_change c JOIN household h ON h.id = c.id
 WHERE {{tenant:c}} AND {{tenant:h}} AND c.batch_id = :batch AND c.kind = 'household' AND NOT {{scope:h}}
""",
    f"""
SELECT 'outside', {_PERSON}, NULL, '' FROM import_change c JOIN person p ON p.id = c.id
 WHERE {{tenant:c}} AND {{tenant:p}} AND c.batch_id = :batch AND c.kind = 'person' AND NOT {{scope:p}}
""",
)


def _records(uow: Uow) -> Iterator[str]:
    """One statement for each column of any table that holds ids of what the import made."""
    for table, shown, made, alias in (
        ("household", _HOUSEHOLD, MADE_HOUSEHOLD, "h"),
        ("person", _PERSON, MADE_PERSON, "p"),
    ):
        for one in _foreign(references_to(uow.session, table)):
            yield (
                f"SELECT 'record', {shown}, NULL, '{one.name}' FROM {table} {alias}"
                f" JOIN {one.name} x ON x.{one.column} = {alias}.id"
                f" WHERE {{tenant:{alias}}} AND {{tenant:x}} AND {made}{FOLLOWING.get(one.name, '')}"
            )


def _foreign(found: Sequence[Reference]) -> list[Reference]:
    return [one for one in found if one.schema != "public" or one.table not in OWN]


def _union(uow: Uow) -> str:
    pieces = [statement for group in _PIECES.values() for statement in group]
    if uow.scope.ranges is not None:
        pieces += _OUTSIDE
    return " UNION ".join(f"({statement.strip()})" for statement in [*pieces, *_records(uow)])


_COLUMNS = "b (what, entity, id, label, code, household_id, area_code, at, detail)"


def count_built(uow: Uow, written: Written) -> dict[str, int]:
    """How many rows stand in the way, by `WHATS`; nothing when the import can be undone."""
    rows = scoped_rows(
        uow.session, f"SELECT b.what, count(*) FROM ({_union(uow)}) {_COLUMNS} GROUP BY 1", written.params()
    )
    found = dict(rows)
    return {what: found[what] for what in WHATS if what in found}


def list_built(
    uow: Uow, written: Written, *, what: str = "", after: tuple[str, int, str, str] | None = None, limit: int = 50
) -> list[Built]:
    """Rows in the way, households first, in the order of their ids. Names of what lies outside the actor's area are
    not told."""
    entity, id, kind, detail = after or ("", 0, "", "")
    sql = f"""
SELECT b.what, b.entity, b.id, b.label, b.code, b.household_id, b.area_code, b.at, b.detail
  FROM ({_union(uow)}) {_COLUMNS}
 WHERE (CAST(:what AS text) = '' OR b.what = :what)
   AND (b.entity, b.id, b.what, b.detail) > (CAST(:entity AS text), CAST(:id AS bigint), :kind, :detail)
 ORDER BY b.entity, b.id, b.what, b.detail LIMIT :limit
"""
    place = {"what": what, "entity": entity, "id": id, "kind": kind, "detail": detail, "limit": limit}
    rows = [Built(*row) for row in scoped_rows(uow.session, sql, {**written.params(), **place})]
    return [row if _mine(uow, row) else _veiled(row) for row in rows]


def each_built(uow: Uow, written: Written, *, what: str = "") -> Iterator[Built]:
    """All of them, for a file."""
    after = None
    while rows := list_built(uow, written, what=what, after=after, limit=2000):
        yield from rows
        after = rows[-1].key


def _mine(uow: Uow, row: Built) -> bool:
    return row.area_code == 0 or uow.scope.contains(row.area_code)


def _veiled(row: Built) -> Built:
    return Built(row.what, row.entity, row.id, "", "", None, 0, None, row.detail)
