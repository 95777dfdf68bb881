"""The cockpit counts what is there, inside one's own area, and leads down to the rows."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from xiangyue.access.models import ApiToken, AuditEntry
from xiangyue.access.tokens import API_PREFIX, new_token
from xiangyue.features.areas.models import Area
from xiangyue.features.cockpit.board import look
from xiangyue.features.cockpit.policy import COCKPIT_VIEW
from xiangyue.features.households.models import Household, HouseholdIncome, Person, PersonMark
from xiangyue.features.households.policy import SENSITIVE_VIEW
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults


def add(
    county: County, area: int, *, persons: int = 1, away: int = 0, marks: tuple[str, ...] = (), **other: Any
) -> None:
    """A household with so many persons; the first ``away`` are away; the marks are on the first."""
    with county.uow() as uow:
        number = len(uow.session.scalars(select(Household.id)).all())
        home = Household(
            area_code=area,
            code=f"{area // 1000}{number:04d}",
            head_name="王德福",
            registered_count=persons,
            living_count=persons - away,
            **other.get("home", {}),
        )
        uow.session.add(home)
        uow.session.flush()
        for n in range(persons):
            person = Person(area_code=area, household_id=home.id, name="王", away=n < away, **other.get("person", {}))
            uow.session.add(person)
            uow.session.flush()
            for mark in marks if n == 0 else ():
                row = PersonMark(
                    area_code=area,
                    person_id=person.id,
                    household_id=home.id,
                    mark_key=mark,
                    valid_to=other.get("valid_to"),
                )
                uow.session.add(row)
        for year in other.get("years", ()):
            uow.session.add(HouseholdIncome(area_code=area, household_id=home.id, year=year, amount=20_000))


@pytest.fixture(scope="module")
def towns(hanyin: County, tongyu: County) -> list[int]:
    """Two towns with people in them; the other county has more, which must never show."""
    with hanyin.uow() as uow:
        found = list(uow.session.scalars(select(Area.area_code).where(Area.level == "town").order_by(Area.area_code)))
    first, second = found[:2]
    add(hanyin, first + 1_000, persons=4, away=1, marks=("party_member", "left_behind_child"), years=(2025, 2024))
    add(hanyin, first + 1_000, persons=2, years=(2025,))
    add(hanyin, first + 2_000, persons=2, away=1, marks=("party_member",))
    add(hanyin, second + 1_000, persons=2, marks=("disabled",), years=(2025,))
    add(hanyin, second + 1_000, persons=1, marks=("veteran",), valid_to=date.today() - timedelta(days=1))
    add(hanyin, second + 1_000, persons=1, home={"state": "closed"}, person={"state": "moved"}, marks=("veteran",))
    for _ in range(9):
        add(tongyu, tongyu.info.area_code + 100_001_000, persons=9, away=9, marks=("party_member",))
    return [first, second]


def test_it_counts_what_is_there_now(hanyin: County, towns: list[int]) -> None:
    with hanyin.uow(hanyin.actor(COCKPIT_VIEW, SENSITIVE_VIEW)) as uow:
        found = look(uow)
    t = found.totals
    assert (t.households, t.persons, t.away, t.marked, t.income, t.income_before) == (5, 11, 2, 3, 3, 1)
    assert (found.level, found.year, found.around) == ("town", 2025, None)
    by_code = {line.code: line.totals for line in found.lines}
    assert len(found.lines) == 10
    assert (by_code[towns[0]].households, by_code[towns[0]].persons, by_code[towns[0]].away) == (3, 8, 2)
    assert (by_code[towns[1]].households, by_code[towns[1]].marked) == (2, 1)
    marks = {m.key: (m.persons, m.households) for m in found.marks}
    assert (marks["party_member"], marks["disabled"], marks["veteran"]) == ((2, 2), (1, 1), (0, 0))


def test_sensitive_marks_are_counted_only_with_their_right(hanyin: County, towns: list[int]) -> None:
    with hanyin.uow(hanyin.actor(COCKPIT_VIEW)) as uow:
        found = look(uow)
        with uow.scoped(hanyin.actor(COCKPIT_VIEW).scope(COCKPIT_VIEW)):
            again = look(uow, towns[1])
    assert "disabled" not in {m.key for m in found.marks}
    assert found.totals.marked == 2
    assert again.totals.marked == 0


def test_a_town_is_told_apart_by_village_and_compared(hanyin: County, towns: list[int]) -> None:
    with hanyin.uow() as uow:
        found = look(uow, towns[0])
    assert found.level == "village"
    assert (found.totals.households, found.totals.persons) == (3, 8)
    assert found.around is not None
    assert (found.around.households, found.around.persons) == (5, 11)
    assert [code for code, _name in found.path] == [hanyin.info.area_code, towns[0]]
    with hanyin.uow() as uow:
        assert look(uow, towns[0] + 1_000).level == "group"


def test_a_town_account_sees_its_town_only(hanyin: County, towns: list[int]) -> None:
    client = hanyin.client("town", area=towns[0])
    page = client.get("/cockpit")
    assert page.status_code == 200
    with hanyin.uow() as uow:
        names = dict(uow.session.execute(select(Area.area_code, Area.name).where(Area.level == "town")).all())
    assert names[towns[0]] in page.text
    assert names[towns[1]] not in page.text
    assert client.get(f"/cockpit?area={towns[1] // 1000}").status_code == 404
    assert client.get("/cockpit?area=220822100000").status_code == 404
    assert client.get(f"/cockpit/export?area={towns[1] // 1000}").status_code == 404


def test_numbers_lead_to_the_rows(hanyin: County, towns: list[int]) -> None:
    page = hanyin.client("county_admin").get("/cockpit").text
    assert f'href="/households?area={towns[0] // 1000}"' in page
    assert f'href="/cockpit?area={towns[0] // 1000}"' in page
    assert 'href="/households?area=all&amp;mark=party_member"' in page
    plain = hanyin.client("auditor").get("/cockpit").text
    assert "/households?" not in plain


def test_pages_in_english_and_when_empty(hanyin: County, towns: list[int], tongyu: County) -> None:
    client = hanyin.client("county_admin", locale="en")
    for path in ("/cockpit", f"/cockpit?area={towns[0] // 1000}", "/cockpit?area=all"):
        assert english_page_faults(client.get(path).text) == []
    empty = hanyin.client("county_admin", locale="en").get(f"/cockpit?area={(towns[1] + 2_000) // 1000}")
    assert "No households here yet" in empty.text


def test_without_the_right(hanyin: County, towns: list[int]) -> None:
    assert hanyin.client("grid_leader", area=towns[0] + 1_000).get("/cockpit").status_code == 403


def test_downloads_hold_the_table_and_are_recorded(hanyin: County, towns: list[int]) -> None:
    client = hanyin.client("county_admin")
    sheet = client.get("/cockpit/export")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.data)).get_sheet_by_index(0).to_python()
    assert rows[0][:4] == ["代码", "区划", "户", "人"]
    assert rows[0][4:6] == ["户籍", "常住"]
    assert [rows[-1][column] for column in (1, 2, 3, 4, 5, 6)] == ["合计", 5, 11, 11, 9, 2]
    assert len(rows) == 12
    text = client.get(f"/cockpit/export?format=csv&area={towns[0] // 1000}")
    assert text.mimetype == "text/csv"
    lines = list(csv.reader(io.StringIO(text.data.decode("utf-8-sig"))))
    assert lines[-1][1:4] == ["合计", "3", "8"]
    with hanyin.uow() as uow:
        found = uow.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "cockpit.export").order_by(AuditEntry.id)
        ).all()
        assert [(e.area_code, (e.after or {})["format"]) for e in found] == [(0, "xlsx"), (towns[0], "csv")]


def test_the_api_gives_the_same(hanyin: County, towns: list[int]) -> None:
    account = hanyin.account("county_admin")
    token, digest = new_token(API_PREFIX)
    with hanyin.uow() as uow:
        expires = datetime.now(UTC) + timedelta(hours=1)
        uow.session.add(ApiToken(account_id=account.id, name="t", token_hash=digest, scopes=["*"], expires_at=expires))
    client, headers = hanyin.client(), {"Authorization": f"Bearer {token}"}
    found = client.get(f"/api/v1/cockpit?area={towns[0] // 1000}", headers=headers).json
    assert (found["level"], found["totals"]["households"], found["around"]["persons"]) == ("village", 3, 11)
    assert found["totals"]["away_share"] == 25.0
    assert {a["area_code"]: a["households"] for a in found["areas"] if a["households"]} == {
        towns[0] + 1_000: 2,
        towns[0] + 2_000: 1,
    }
    assert client.get("/api/v1/cockpit?area=999", headers=headers).status_code == 404
    assert client.get("/api/v1/cockpit").status_code == 401


def test_as_many_statements_for_ten_areas_as_for_one(hanyin: County, towns: list[int]) -> None:
    from sqlalchemy import event

    def statements(area: int) -> int:
        seen: list[str] = []

        def note(_c: Any, _k: Any, sql: str, *_rest: Any) -> None:
            seen.append(sql)

        event.listen(hanyin.runtime.engine, "before_cursor_execute", note)
        try:
            with hanyin.uow() as uow:
                look(uow, area)
        finally:
            event.remove(hanyin.runtime.engine, "before_cursor_execute", note)
        return len(seen)

    assert statements(towns[0]) == statements(towns[0] + 1_000)
