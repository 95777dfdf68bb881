"""Which households of a checked roster meet anything in the register, asked in one statement.

Of a first roster none does: nothing of it needs to be opened again and compared to know that all of it is new. The
others are compared one by one (`trial`), in the same portions as if all were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.sql import analyze_stage, fill_stage, read_once, scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.areas.policy import AREA_EDIT
from xiangyue.features.households.bulk import FIRST_NEW
from xiangyue.features.households.bulk_sql import AREA_STANDS
from xiangyue.features.households.bulk_stage import ID_NUMBER
from xiangyue.features.households.models import CustomField, MarkKind
from xiangyue.features.households.policy import SENSITIVE_EDIT
from xiangyue.text.codes import HEAD

# ruff: noqa: S608 - statements are put together from constants of this module and another one only

#: Rows from which it is quicker to read the county once than to look for each of them.
_MANY = 2_000
#: What a staged row has for it: of a head the area and the household's code; of everybody the keyed hash of the citizen
#: number, and whether there is anything that the register may refuse without knowing the household.
COLUMNS = {"area_code": "bigint", "code": 'text COLLATE "C"', "identity": "bytea", "plain": "bool"}
Marked = tuple[int | None, str | None, bytes | None, bool]

_MEETS = f"""
WITH places AS MATERIALIZED (
     SELECT DISTINCT s.tenant_id, s.area_code FROM stage_import s WHERE {{tenant:s}} AND s.area_code IS NOT NULL),
closed AS MATERIALIZED (
     SELECT g.area_code FROM places g WHERE {{tenant:g}} AND NOT (EXISTS ({AREA_STANDS}) AND {{scope:g}}))
INSERT INTO stage_meets (household_n)
SELECT s.household_n FROM stage_import s
 WHERE {{tenant:s}} AND (NOT s.plain OR s.area_code = ANY(ARRAY(SELECT c.area_code FROM closed c)))
 UNION
SELECT s.household_n FROM stage_import s JOIN household h ON h.code = s.code WHERE {{tenant:s}} AND {{tenant:h}}
 UNION
SELECT s.household_n FROM stage_import s JOIN person p ON p.id_number_index = s.identity
 WHERE {{tenant:s}} AND {{tenant:p}}
"""
#: Heads and all rows of the others, by their areas; rows without an area are not heads. Tested so, each list is made
#: once: of rows made in this very transaction the planner believes that there is one, and would read all for each.
_AMONG_NEW = """
 WHERE {tenant:s}
   AND (s.household_n IN (SELECT m.household_n FROM stage_meets m WHERE {tenant:m})) IS NOT TRUE
   AND (s.household_n IN (
        SELECT r.household_n FROM import_row r
         WHERE {tenant:r} AND r.batch_id = :batch AND r.action <> 'write')) IS NOT TRUE
"""
_NEW = f"SELECT s.area_code, count(*) FROM stage_import s {_AMONG_NEW} GROUP BY s.area_code"
#: Some of the first, as they stand there: to put all of them in order would be for nothing.
_FIRST = f"SELECT s.household_n FROM stage_import s {_AMONG_NEW} AND s.area_code IS NOT NULL LIMIT :limit"


class Sieve:
    """Of a roster's rows what `sift` asks about."""

    def __init__(self, uow: Uow, keys: TenantKeys) -> None:
        self._keys = keys
        allowed = uow.actor.can(SENSITIVE_EDIT)
        kinds = uow.session.scalars(select(MarkKind))
        self._marks = frozenset(kind.key for kind in kinds if allowed or kind.sensitivity == "normal")
        fields = uow.session.scalars(select(CustomField))
        self._fields = frozenset(f"{field.entity}.{field.key}" for field in fields)

    def of(self, values: Mapping[str, Any]) -> Marked:
        """What a row as it was understood has for it; of one with errors anything may come."""
        identity = values["id_number"]
        hashed = blind_index(self._keys, ID_NUMBER, identity) if identity else None
        plain = self._marks.issuperset(values["marks"])
        for key, value in values["custom"].items():
            if value is not None and key not in self._fields and key.startswith(("household.", "person.")):
                plain = False
        village, number = values["village_code"], values["household_no"]
        if values["relation"] != HEAD or village is None or number is None:
            return None, None, hashed, plain
        return values["area_code"], f"{village // 1000}{number}", hashed, plain


@dataclass(slots=True)
class Sifted:
    """Households and persons that are new in any case; ``groups``: how many of the households lie in which villager
    group; ``first``: numbers of some of the first; ``meets``: how many others stand in ``stage_meets``."""

    households: int = 0
    persons: int = 0
    groups: Counter[int] = field(default_factory=Counter)
    first: list[int] = field(default_factory=list)
    meets: int = 0


def sift(uow: Uow, batch_id: int) -> Sifted:
    """Put the households of ``stage_import`` that are to be compared into ``stage_meets``, and count the others."""
    session = uow.session
    fill_stage(session, "stage_meets", {"household_n": "int"}, ())
    ((rows,),) = scoped_rows(session, "SELECT count(*) FROM stage_import s WHERE {tenant:s}")
    # Of a table that has just grown or shrunk the planner may think the same: read each once, whatever it holds.
    with read_once(session) if rows >= _MANY else nullcontext():
        found = Sifted(meets=scoped_sql(session, _MEETS, {"groups": uow.actor.can(AREA_EDIT)}).rowcount)
    analyze_stage(session, "stage_meets")
    for area, number in scoped_rows(session, _NEW, {"batch": batch_id}):
        found.persons += number
        if area is not None:
            found.households += number
            if area % 1000:
                found.groups[area] += number
    if found.households:
        params = {"batch": batch_id, "limit": FIRST_NEW}
        found.first = [number for (number,) in scoped_rows(session, _FIRST, params)]
    return found
