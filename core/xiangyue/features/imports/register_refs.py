"""Rows of a declared register on their way to its functions: what they name is looked up where the uploader may
import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk_stage import ID_NUMBER
from xiangyue.features.households.identifiers import sealed
from xiangyue.features.imports.registers import SPEAKS
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.plugin.registers import ImportRegister, RegisterRow

_HOMES = "SELECT h.code, h.id FROM household h WHERE {scope:h} AND h.state = 'active' AND h.code = ANY(:codes)"
_NUMBERS = (
    "SELECT p.id_number_index, p.id FROM person p"
    " WHERE {scope:p} AND p.state = 'active' AND p.id_number_index = ANY(:numbers)"
)
_NAMES = (
    "SELECT p.name, p.birth_date, p.area_code / 1000 * 1000, p.id FROM person p"
    " WHERE {scope:p} AND p.state = 'active' AND p.name = ANY(:names) AND p.birth_date = ANY(:days)"
)


class Resolver:
    """Finds the households and persons that rows name."""

    def __init__(self, uow: Uow, keys: TenantKeys, scope: Scope, register: ImportRegister) -> None:
        self._uow, self._keys, self._scope = uow, keys, scope
        self._dates = [column.key for column in register.columns if column.kind == "date"]
        self._area = next((c for c in register.columns if c.kind in ("village", "area", "place")), None)
        self._household = next((c for c in register.columns if c.kind == "household"), None)
        self._person = next((c for c in register.columns if c.kind == "person"), None)

    def rows(self, staged: Sequence[tuple[int, Mapping[str, Any]]]) -> tuple[list[RegisterRow], list[CellError]]:
        """(rows as the register's functions get them, what is wrong with the others), from (number, values)."""
        records = {row_no: dict(values.get("record") or {}) for row_no, values in staged}
        wrong: dict[int, CellError] = {}
        for row_no, record in records.items():
            for key in self._dates:
                if key in record:
                    record[key] = date.fromisoformat(record[key])
            if self._area is not None and self._area.key in record and not self._scope.contains(record[self._area.key]):
                wrong[row_no] = CellError(row_no, SPEAKS[self._area.kind], "outside_area")
        if self._household is not None:
            self._find_households(self._household.key, records, wrong)
        if self._person is not None:
            self._find_persons(self._person.key, records, wrong)
        good = [RegisterRow(row_no, record) for row_no, record in records.items() if row_no not in wrong]
        return good, list(wrong.values())

    def _find_households(self, key: str, records: Mapping[int, dict[str, Any]], wrong: dict[int, CellError]) -> None:
        codes = sorted({record[key] for record in records.values() if key in record})
        found = dict(scoped_rows(self._uow.session, _HOMES, {"codes": codes}, scope=self._scope)) if codes else {}
        for row_no, record in records.items():
            if key in record:
                home = found.get(record[key])
                if home is None:
                    wrong.setdefault(row_no, CellError(row_no, SPEAKS["household"], "household_unknown"))
                else:
                    record[key] = home

    def _find_persons(self, key: str, records: Mapping[int, dict[str, Any]], wrong: dict[int, CellError]) -> None:
        asked = {row_no: record[key] for row_no, record in records.items() if key in record}
        by_number = {
            row_no: sealed(self._keys, self._uow.tenant_id, ID_NUMBER, said["id_number"])[1]
            for row_no, said in asked.items()
            if "id_number" in said
        }
        numbers: dict[bytes, int] = {}
        if by_number:
            wanted = sorted({number for number in by_number.values() if number is not None})
            rows = scoped_rows(self._uow.session, _NUMBERS, {"numbers": wanted}, scope=self._scope)
            numbers = {bytes(number): id for number, id in rows}
        named = self._named([said for said in asked.values() if "id_number" not in said])
        for row_no, said in asked.items():
            if row_no in by_number:
                number = by_number[row_no]
                ids = {numbers[number]} if number is not None and number in numbers else set()
                column = "id_number"
            else:
                ids, column = named.get((said["name"], said["birth_date"], said["village"]), set()), "name"
            if len(ids) == 1:
                (records[row_no][key],) = ids
            else:
                code = "person_ambiguous" if ids else "person_unknown"
                wrong.setdefault(row_no, CellError(row_no, column, code))

    def _named(self, asked: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, int], set[int]]:
        """Persons by name, day of birth (ISO) and village."""
        if not asked:
            return {}
        params = {
            "names": sorted({said["name"] for said in asked}),
            "days": sorted({date.fromisoformat(said["birth_date"]) for said in asked}),
        }
        found: dict[tuple[str, str, int], set[int]] = {}
        for name, born, village, id in scoped_rows(self._uow.session, _NAMES, params, scope=self._scope):
            found.setdefault((name, born.isoformat(), village), set()).add(id)
        return found
