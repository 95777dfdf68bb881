"""Data for the browser tests: households, roster files."""

from __future__ import annotations

from typing import Any

from tests.unit.roster_samples import HEAD, workbook

from xiangyue.features.households.models import Household
from xiangyue.features.households.service import register_household
from xiangyue.features.households.service_persons import add_person
from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.testing.fixtures import County

#: Dongnan village of Hanyin's town Chengguan.
VILLAGE = 610921100200_000


def register(county: County, name: str, *members: str, area: int = VILLAGE, **more: Any) -> Household:
    """A household with its head and further members."""
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        head = {"name": name, "id_number": "", "sex": "1"}
        id = register_household(uow, keys=keys, area_code=area, head=head, allow_synthetic=True, **more).id
        for member in members:
            values = {"name": member, "relation": "10"}
            add_person(uow, keys=keys, household_id=id, values=values, allow_synthetic=True)
    return standing(county, id)


def standing(county: County, household_id: int) -> Household:
    """The household as it stands in the database now."""
    with county.uow() as uow:
        return uow.get(Household, household_id)


def roster(*people: dict[str, Any]) -> bytes:
    """A workbook of these people with the standard headers."""
    return workbook([[c.zh for c in STANDARD_COLUMNS], *([p.get(c.key) for c in STANDARD_COLUMNS] for p in people)])


def head(number: int, **changes: Any) -> dict[str, Any]:
    """A head of a household of its own, without citizen number or phone."""
    return {**HEAD, "household_no": f"{number:04}", "id_number": None, "phone": None, "marks": None, **changes}
