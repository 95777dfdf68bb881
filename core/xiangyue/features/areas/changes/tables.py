"""The rows of every table that lie in an area, core's and plugins', whether these are on or not.

What hangs on a household goes where that goes; all else goes with its area. Tables are asked of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from xiangyue.db.references import Reference, tables_with, unique_with
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow

# ruff: noqa: S608 - statements are put together from names of tables and columns that are checked

#: Areas themselves, their history, and grants, which are looked after one by one.
OWN = frozenset({"area", "area_version", "area_change", "area_change_part", "role_grant"})
#: Found by others' contents: nothing that anybody counts.
SEARCH = frozenset({"name_suffix", "household_piece"})


@dataclass(frozen=True, slots=True)
class AreaTable:
    """A table with rows in areas. ``links``: (staged things, condition that joins a row ``x`` to one's move ``g``);
    none where it hangs on no household or person. ``alone``: columns of a unique key besides tenant and area: of
    two such rows one stays behind."""

    name: str
    links: tuple[tuple[str, str], ...] = ()
    alone: tuple[tuple[str, ...], ...] = ()

    @property
    def table(self) -> str:
        return self.name.partition(".")[2]


def area_tables(uow: Uow) -> list[AreaTable]:
    """All tables whose rows lie in areas, households last."""
    session = uow.session
    found = [one for one in tables_with(session, "area_code", without=[]) if one.table not in OWN]
    with_household = _with(session, found, "household_id")
    with_person = _with(session, found, "person_id")
    unique: dict[str, list[tuple[str, ...]]] = {}
    for table, columns in unique_with(session, "area_code", without="id"):
        unique.setdefault(table, []).append(tuple(sorted(set(columns) - {"tenant_id", "area_code"})))
    tables = [
        AreaTable(one.name, _links(one, with_household, with_person), tuple(unique.get(one.name, ()))) for one in found
    ]
    return sorted(tables, key=lambda t: (t.name == "public.household", t.name))


def _with(session: Session, found: list[Reference], column: str) -> set[str]:
    lacking = {one.name for one in tables_with(session, "area_code", without=[column])}
    return {one.name for one in found} - lacking


_HOUSEHOLDS, _PERSONS = "stage_area_move", "stage_area_person"


def _links(one: Reference, with_household: set[str], with_person: set[str]) -> tuple[tuple[str, str], ...]:
    if one.schema == "public" and one.table in ("household", "household_piece"):
        return ((_HOUSEHOLDS, "x.id = g.id"),)
    if one.schema == "public" and one.table == "custom_value":
        of = (
            "x.owner_id = g.id AND x.field_id IN (SELECT f.id FROM custom_field f WHERE {tenant:f} AND f.entity = '%s')"
        )
        return ((_HOUSEHOLDS, of % "household"), (_PERSONS, of % "person"))
    if one.name in with_household:
        return ((_HOUSEHOLDS, "x.household_id = g.id"),)
    return ((_PERSONS, "x.person_id = g.id"),) if one.name in with_person else ()


_STAGE = {"id": "bigint", "from_code": "bigint", "to_code": "bigint"}


def stage_moves(uow: Uow, moves: Iterable[tuple[int, int, int]]) -> int:
    """Households that move: (id, from, to), and with them the persons recorded in them."""
    count = stage_rows(uow.session, _HOUSEHOLDS, _STAGE, moves)
    persons = scoped_rows(
        uow.session,
        "SELECT p.id, g.from_code, g.to_code FROM person p JOIN stage_area_move g ON g.id = p.household_id"
        " WHERE {tenant:p} AND {tenant:g}",
        scope=Scope(uow.tenant_id),
    )
    stage_rows(uow.session, _PERSONS, _STAGE, persons)
    return count


def move_linked(uow: Uow, table: AreaTable) -> int:
    """Rows that hang on the staged households and persons, as far as they lie where these did."""
    version = ", version = x.version + 1" if table.name == "public.household" else ""
    count = 0
    for stage, link in table.links:
        moved = scoped_sql(
            uow.session,
            f"UPDATE {table.name} x SET area_code = g.to_code{version} FROM {stage} g"
            f" WHERE {{tenant:x}} AND {{tenant:g}} AND {link} AND x.area_code = g.from_code",
            scope=Scope(uow.tenant_id),
        )
        count += int(moved.rowcount)
    return count


def count_linked(uow: Uow, table: AreaTable) -> int:
    """How many rows that would be."""
    count = 0
    for stage, link in table.links:
        rows = scoped_rows(
            uow.session,
            f"SELECT count(*) FROM {table.name} x JOIN {stage} g ON {link}"
            " WHERE {tenant:x} AND {tenant:g} AND x.area_code = g.from_code",
            scope=Scope(uow.tenant_id),
        )
        count += int(rows[0][0])
    return count


def _stage_codes(uow: Uow, codes: Mapping[int, int]) -> None:
    stage_rows(uow.session, "stage_area_code", {"from_code": "bigint", "to_code": "bigint"}, sorted(codes.items()))


def _free(table: AreaTable) -> str:
    """Of rows that must be alone in an area (by a key): none is there yet, and this is the first to come."""
    parts = []
    for columns in table.alone:
        same = "".join(f" AND o.{c} = x.{c}" for c in columns)
        parts.append(
            f" AND NOT EXISTS (SELECT 1 FROM {table.name} o WHERE {{tenant:o}} AND o.area_code = g.to_code{same})"
            f" AND NOT EXISTS (SELECT 1 FROM {table.name} o JOIN stage_area_code k ON k.from_code = o.area_code"
            f" WHERE {{tenant:o}} AND {{tenant:k}} AND k.to_code = g.to_code AND o.id < x.id{same})"
        )
    return "".join(parts)


def move_by_area(uow: Uow, table: AreaTable, codes: Mapping[int, int], change_id: int) -> int:
    """Rows that lie in ``codes`` and did not go with a household; each is noted, so that an undo finds it."""
    if not codes:
        return 0
    _stage_codes(uow, codes)
    where = "{tenant:x} AND {tenant:g} AND x.area_code = g.from_code" + _free(table)
    if table.table in SEARCH and table.name.startswith("public."):
        return 0  # keyed by their contents, and always a household's
    noted = scoped_sql(
        uow.session,
        "INSERT INTO area_moved_row (tenant_id, change_id, table_name, id, from_code, to_code)"
        f" SELECT x.tenant_id, :change, '{table.name}', x.id, g.from_code, g.to_code"
        f" FROM {table.name} x JOIN stage_area_code g ON {where}",
        {"change": change_id},
        scope=Scope(uow.tenant_id),
    )
    if noted.rowcount:
        scoped_sql(
            uow.session,
            f"UPDATE {table.name} x SET area_code = r.to_code FROM area_moved_row r WHERE {{tenant:x}} AND {{tenant:r}}"
            f" AND r.change_id = :change AND r.table_name = '{table.name}' AND x.id = r.id",
            {"change": change_id},
            scope=Scope(uow.tenant_id),
        )
    return int(noted.rowcount)


def count_by_area(uow: Uow, table: AreaTable, codes: Mapping[int, int]) -> tuple[int, int]:
    """(rows that would go with their area, rows that would stay behind because one is there already)."""
    if not codes or table.table in SEARCH:
        return 0, 0
    _stage_codes(uow, codes)
    linked = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {stage} m WHERE {{tenant:m}} AND {link.replace('g.', 'm.')}"
        " AND x.area_code = m.from_code)"
        for stage, link in table.links
    )
    rows = scoped_rows(
        uow.session,
        f"SELECT count(*) FILTER (WHERE true{_free(table)}), count(*) FROM {table.name} x"
        f" JOIN stage_area_code g ON x.area_code = g.from_code WHERE {{tenant:x}} AND {{tenant:g}}"
        f"{linked}",
        scope=Scope(uow.tenant_id),
    )
    goes, all_of_them = rows[0]
    return int(goes), int(all_of_them - goes)


def move_back(uow: Uow, table: AreaTable, change_id: int) -> int:
    """Rows that went with their area, as far as they still lie where they went."""
    moved = scoped_sql(
        uow.session,
        f"UPDATE {table.name} x SET area_code = r.from_code FROM area_moved_row r WHERE {{tenant:x}} AND {{tenant:r}}"
        f" AND r.change_id = :change AND r.table_name = '{table.name}' AND x.id = r.id AND x.area_code = r.to_code",
        {"change": change_id},
        scope=Scope(uow.tenant_id),
    )
    return int(moved.rowcount)


def move_codes(uow: Uow, table: AreaTable, codes: Mapping[int, int]) -> int:
    """All rows of ``codes``, whatever they hang on."""
    if not codes:
        return 0
    _stage_codes(uow, codes)
    version = ", version = x.version + 1" if table.name == "public.household" else ""
    moved = scoped_sql(
        uow.session,
        f"UPDATE {table.name} x SET area_code = g.to_code{version} FROM stage_area_code g"
        " WHERE {tenant:x} AND {tenant:g} AND x.area_code = g.from_code",
        scope=Scope(uow.tenant_id),
    )
    return int(moved.rowcount)


def count_in(uow: Uow, table: AreaTable, codes: Iterable[int]) -> int:
    """Rows that lie in exactly these areas."""
    rows = scoped_rows(
        uow.session,
        f"SELECT count(*) FROM {table.name} x WHERE {{tenant:x}} AND x.area_code = ANY(:codes)",
        {"codes": sorted(codes)},
        scope=Scope(uow.tenant_id),
    )
    return int(rows[0][0])


Progress = Callable[[int, int], None]
__all__ = ["OWN", "SEARCH", "AreaTable", "Progress", "area_tables"]
