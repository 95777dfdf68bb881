"""The county's own fields in the lists of households and persons: conditions, order, columns, export and API."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from households_kit import OTHER_TOWN, VILLAGE, hidden, text
from sqlalchemy import delete, select

from xiangyue.errors import Invalid
from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.features.households import own_lists
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.filters import HouseholdFilter, PersonFilter
from xiangyue.features.households.groups import household_ids
from xiangyue.features.households.list_persons import count_register
from xiangyue.features.households.list_query import count_households, count_persons, list_households, list_persons
from xiangyue.features.households.models import CustomField, CustomValue, Household, NameSuffix, Person
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

KINDS = {"plate": "text", "mu": "integer", "land": "decimal", "checked": "date", "well": "boolean", "roof": "choice"}
ROOFS = [{"key": "tile", "name": "瓦", "name_en": "Tile"}, {"key": "flat", "name": "平", "name_en": "Flat"}]
#: Number in the village -> values; of the others nothing is recorded.
VALUES: dict[int, dict[str, Any]] = {
    1: {"plate": "陕G12345", "mu": 5, "land": 3.5, "checked": date(2026, 3, 1), "well": True, "roof": "tile"},
    2: {"plate": "陕G99", "mu": -2, "land": -0.25, "checked": date(2025, 3, 1), "well": False, "roof": "flat"},
    3: {"plate": "川A12399", "mu": 5, "land": 32.75, "checked": date(2024, 12, 31), "roof": "tile"},
    4: {"plate": "=1+1", "mu": 40, "land": 4},
}
HOUSES = 7


@pytest.fixture(scope="module", name="county")
def county_with_fields(hanyin: County) -> Iterator[County]:
    with hanyin.uow() as uow:
        for position, (key, kind) in enumerate(KINDS.items()):
            for entity in ("household", "person"):
                name_en = f"{key} of {entity}" if key != "plate" else ""
                uow.session.add(
                    CustomField(
                        entity=entity, key=key, type=kind, name=f"栏目{key}", name_en=name_en,
                        options=ROOFS if kind == "choice" else [], position=100 + position,
                    )
                )  # fmt: skip
        uow.session.flush()
        born = date(1970, 1, 1)
        rows = [
            HouseholdRow(
                VILLAGE + 1,
                f"6109211002{n:06d}",
                persons=[
                    {
                        "name": "甲乙丙丁戊己庚"[n - 1] + "某", "relation": "02", "birth_date": born + timedelta(n),
                        "custom": VALUES.get(n, {}),
                    }
                ],
                custom=VALUES.get(n, {}),
            )
            for n in range(1, HOUSES + 1)
        ]  # fmt: skip
        upsert_households(uow, hanyin.runtime.tenant_keys(uow), rows, source="t")
    yield hanyin
    with hanyin.uow() as uow:
        for model in (CustomValue, NameSuffix, Person, Household):
            uow.session.execute(delete(model))
        uow.session.execute(delete(CustomField).where(CustomField.position >= 100))


def numbers(county: County, *custom: tuple[str, str], **options: Any) -> list[int]:
    """Numbers in the village of what a list shows."""
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
        page = list_households(uow, HouseholdFilter(custom=custom), fields=["code"], **{"sort": "code", **options})
        return [int(row["code"][-4:]) for row in page.items]


@pytest.mark.parametrize("common", [3000, 0], ids=["rare", "common"])
@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([("plate", "陕G")], [1, 2]),
        ([("plate.is", "陕G99")], [2]),
        ([("plate.is", "陕G")], []),
        ([("plate.has", "g12")], [1]),
        ([("plate.has", "123")], [1, 3]),
        ([("plate.filled", "no")], [5, 6, 7]),
        ([("mu", "5")], [1, 3]),
        ([("mu.from", "-2"), ("mu.to", "5")], [1, 2, 3]),
        ([("mu.from", "6")], [4]),
        ([("land", "3.50")], [1]),
        ([("land", "3")], []),
        ([("land.from", "-0.25"), ("land.to", "4")], [1, 2, 4]),
        ([("land.from", "3.51")], [3, 4]),
        ([("land.filled", "no")], [5, 6, 7]),
        ([("checked.from", "2025-01-01")], [1, 2]),
        ([("checked.from", "2025-01-01"), ("checked.to", "2025-12-31")], [2]),
        ([("checked.filled", "yes")], [1, 2, 3]),
        ([("well", "yes")], [1]),
        ([("well", "no")], [2]),
        ([("roof", "tile"), ("mu", "5")], [1, 3]),
        ([("roof", "flat"), ("plate", "陕")], [2]),
    ],
)
def test_conditions_by_the_type_of_the_field(
    county: County, conditions: list[tuple[str, str]], found: list[int], common: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Either way of reading finds the same.
    monkeypatch.setattr(own_lists, "COMMON", common)
    assert numbers(county, *conditions) == found
    assert sorted(numbers(county, *conditions, sort="-custom.mu")) == found
    assert sorted(numbers(county, *conditions, sort="size")) == found
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
        persons = list_persons(uow, PersonFilter(custom=tuple(conditions)), sort="birth_date", fields=["birth_date"])
        assert [(row["birth_date"] - date(1970, 1, 1)).days for row in persons.items] == found
        args = "&".join(f"custom.{name}={value}" for name, value in conditions)
        assert len(list(household_ids(uow, args))) == len(found)


@pytest.mark.parametrize(
    "condition",
    [
        ("nope", "1"),
        ("mu", "many"),
        ("mu.has", "1"),
        ("land", "3.555"),
        ("land.has", "3"),
        ("roof", "straw"),
        ("roof.from", "tile"),
        ("well.filled", "x"),
    ],
)
def test_conditions_that_cannot_be_used_are_named(county: County, condition: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        numbers(county, condition)
    assert list(error.value.fields) == [f"custom.{condition[0]}"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("custom.mu", [2, 1, 3, 4, 5, 6, 7]),
        ("-custom.mu", [4, 3, 1, 2, 7, 6, 5]),
        ("custom.land", [2, 1, 4, 3, 5, 6, 7]),
        ("-custom.land", [3, 4, 1, 2, 7, 6, 5]),
        ("custom.plate", [4, 3, 1, 2, 5, 6, 7]),
        ("custom.checked", [3, 2, 1, 4, 5, 6, 7]),
        ("-custom.well", [1, 2, 7, 6, 5, 4, 3]),
        ("custom.roof", [2, 1, 3, 4, 5, 6, 7]),
    ],
)
def test_order_by_a_field_pages_both_ways(county: County, sort: str, order: list[int]) -> None:
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
        for size in (1, 2, 3, 20):
            forth: list[list[int]] = []
            cursor, back = None, None
            while True:
                page = list_households(uow, HouseholdFilter(), sort=sort, limit=size, after=cursor, fields=["code"])
                forth.append([int(row["code"][-4:]) for row in page.items])
                if page.next is None:
                    back = page.back
                    break
                cursor = page.next
            assert [n for part in forth for n in part] == order, size
            behind = []
            while back is not None:
                page = list_households(uow, HouseholdFilter(), sort=sort, limit=size, before=back, fields=["code"])
                behind.append([int(row["code"][-4:]) for row in page.items])
                back = page.back
            assert behind[::-1] == forth[:-1], size


def test_order_within_a_condition_and_of_persons(county: County) -> None:
    assert numbers(county, ("plate.filled", "yes"), sort="-custom.mu") == [4, 3, 1, 2]
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
        page = list_persons(
            uow, PersonFilter(), sort="custom.checked", fields=["name", "custom.checked", "custom.well"]
        )
        assert [(row["name"], row["custom.checked"], row["custom.well"]) for row in page.items][:4] == [
            ("丙某", date(2024, 12, 31), None),
            ("乙某", date(2025, 3, 1), False),
            ("甲某", date(2026, 3, 1), True),
            ("丁某", None, None),
        ]
        for sort in ("custom.nope", "custom.mu.x"):
            with pytest.raises(Invalid) as error:
                list_persons(uow, PersonFilter(), sort=sort)
            assert "sort" in error.value.fields
        with pytest.raises(Invalid):
            list_persons(uow, PersonFilter(), sort="custom.mu", after=page.next or "bm9uZQ")


def test_contains_is_looked_for_as_it_is_written_and_in_either_size(county: County) -> None:
    for word, found in (("G", [1, 2]), ("g1", [1]), ("陕g", [1, 2]), ("123", [1, 3]), ("a12399", [3]), ("=1+1", [4])):
        assert numbers(county, ("plate.has", word)) == found, word
        with county.uow() as uow:
            wanted = HouseholdFilter(custom=(("plate.has", word),))
            assert count_households(uow, wanted) == len(found), word
            # Order by order the same, whatever a page is walked along.
            for sort in ("name", "-size", "updated", "custom.mu"):
                assert len(list_households(uow, wanted, sort=sort).items) == len(found), (word, sort)


def test_nothing_recorded_beside_other_conditions(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    none = ("roof.filled", "no")
    assert numbers(county, none) == [4, 5, 6, 7]
    assert numbers(county, none, ("mu.from", "1")) == [4]
    # Where they are many the list is walked and each is asked.
    monkeypatch.setattr(own_lists, "COMMON", 2)
    assert numbers(county, none) == [4, 5, 6, 7]
    assert numbers(county, none, sort="-code") == [7, 6, 5, 4]


def test_the_whole_register_is_counted_by_its_households(county: County) -> None:
    with county.uow() as uow:
        assert count_register(uow) == (HOUSES, HOUSES)
        assert (count_households(uow, HouseholdFilter()), count_persons(uow, PersonFilter())) == (HOUSES, HOUSES)
        assert count_register(uow, OTHER_TOWN) == (0, 0)
        assert count_persons(uow, PersonFilter(area=OTHER_TOWN)) == 0


def test_another_area_shows_nothing(county: County) -> None:
    elsewhere = HouseholdFilter(area=OTHER_TOWN)
    with county.uow(county.actor(HOUSEHOLD_VIEW)) as uow:
        for sort in ("custom.mu", "-custom.plate", "name"):
            assert list_households(uow, elsewhere, sort=sort).items == []
            with uow.scoped(uow.scope.narrowed(OTHER_TOWN)):
                assert list_households(uow, HouseholdFilter(custom=(("mu.from", "0"),)), sort=sort).items == []


def test_columns_conditions_and_order_in_the_pages(county: County) -> None:
    client = county.client("county_admin", locale="en")
    cols = ",".join(f"custom.{key}" for key in KINDS)
    for path in ("/households", "/persons"):
        page = text(client, f"{path}?cols={cols}&custom.mu.from=0&custom.mu.to=39&custom.land.from=1.5&sort=custom.mu")
        decimals = (">3.5<", ">32.75<", 'inputmode="decimal"')
        for shown in ("G12345", "2026-03-01", "Tile", "Yes", "A12399", "mu of", "up to", *decimals):
            assert shown in page, (path, shown)
        assert "G99" not in page
        assert 'aria-sort="ascending"' in page
        assert english_page_faults(page) == []
    wrong = client.get(
        "/households?custom.mu.from=x&custom.land.to=3.555&custom.checked.to=2026", follow_redirects=True
    ).text
    assert "at most two places after the point" in wrong
    assert "Enter a whole number." in wrong
    assert "Write it like 1980-01-31" in wrong
    with county.uow() as uow:
        field = uow.session.scalars(
            select(CustomField).where(CustomField.key == "mu", CustomField.entity == "household")
        ).one()
        field.active = False
    assert "mu of household" not in text(client, "/households")
    kept = text(client, "/households?custom.mu=40&cols=custom.mu&sort=-custom.mu")
    assert "丁某" in kept
    assert "mu of household" in kept
    with county.uow() as uow:
        uow.session.get(CustomField, (uow.tenant_id, field.id)).active = True  # type: ignore[union-attr]


def test_a_field_is_a_column_of_the_export(county: County) -> None:
    client = county.client("county_admin", locale="en")
    path = "/households/export?cols=custom.plate,custom.mu,custom.land,custom.well,custom.roof&sort=-custom.mu"
    sent = {"csrf_token": hidden(text(client, path), "csrf_token"), "purpose": "核对", "format": "csv"}
    answer = client.post(path, data=sent)
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [row[1:] for row in rows[1:4]] == [
        ["'=1+1", "40", "4", "", ""],
        ["川A12399", "5", "32.75", "", "Tile"],
        ["陕G12345", "5", "3.5", "Yes", "Tile"],
    ]


def test_fields_in_the_api(county: County) -> None:
    with county.uow() as uow:
        _, token = create_token_for(uow, account_id=county.account("town").id, name="t", scopes=["*"], days=1)
    client, headers = county.client(), {"Authorization": f"Bearer {token}"}

    def get(path: str, status: int = 200) -> Any:
        answer = client.get(f"/api/v1{path}", headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    first = get("/households?sort=-custom.mu&limit=2&fields=head_name,custom.mu,custom.checked")
    assert first["items"][0] == {"head_name": "丁某", "custom": {"mu": 40, "checked": None}}
    second = get(f"/households?sort=-custom.mu&limit=2&fields=custom.mu&cursor={first['next']}")
    assert [row["custom"]["mu"] for row in second["items"]] == [5, -2]
    land = get("/households?sort=custom.land&custom.land.from=0&fields=custom.land")
    assert [row["custom"]["land"] for row in land["items"]] == [3.5, 4, 32.75]
    persons = get("/persons?custom.checked.to=2025-12-31&sort=custom.checked&fields=name,custom")
    assert persons["items"][0]["custom"]["checked"] == "2024-12-31"
    assert set(KINDS) <= set(persons["items"][0]["custom"])
    for path, field in (
        ("/persons?sort=custom.nope", "sort"),
        ("/persons?fields=custom.nope", "fields"),
        ("/households?custom.mu.near=1", "custom.mu.near"),
    ):
        assert field in str(get(path, 422)), path
