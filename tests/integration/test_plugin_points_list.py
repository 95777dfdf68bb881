"""Conditions and columns that a plugin adds to the list of households: page, API, count, export, cursors."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from households_kit import OTHER_TOWN, OTHER_VILLAGE, filled_county, post, text
from points_kit import LABEL, counted, faults, holder, probe
from python_calamine import CalamineWorkbook

from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import Refused
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.plugin.registry import HouseholdColumn, HouseholdFilter
from xiangyue.testing import statements
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]

SIZES = [("one", "One person"), ("more", "More persons")]


def sizes(_uow: Uow) -> Sequence[tuple[str, Any]]:
    return SIZES


def of_size(_uow: Uow, value: str) -> tuple[str, Mapping[str, Any]]:
    sql = "(SELECT count(*) FROM person s WHERE {tenant:s} AND s.household_id = h.id) "
    return sql + ("= :probe_size_n" if value == "one" else "> :probe_size_n"), {"probe_size_n": 1}


SIZE = HouseholdFilter("probe_size", "Size of it", None, sizes, of_size)


def column(values: Callable[[Uow, Sequence[int]], Mapping[int, Any]], permission: Any = None) -> HouseholdColumn:
    return HouseholdColumn("probe_note", "Note of it", permission, values)


def notes(_uow: Uow, ids: Sequence[int]) -> Mapping[int, Any]:
    return {id: f"note {id}" for id in ids}


def sheet(answer: Any) -> list[list[Any]]:
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    rows: list[list[Any]] = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[0][0].startswith("导出人：")  # who took it along
    return rows[1:]


def names(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.json
    return {item["head_name"] for item in answer.json["items"]}


def test_a_condition_holds_in_page_count_api_export_and_on_the_next_page(county: County) -> None:
    client = county.client("county_admin")
    with probe(county, register_household_filters=(SIZE,)):
        page = text(client, "/households?area=all&probe_size=one")
        assert "Size of it" in page
        assert "2 户" in page
        assert "王德福" not in page
        assert "吴·木子" in page
        assert names(client.get("/api/v1/households?probe_size=one")) == {"吴·木子", "周永贵"}
        first = client.get("/api/v1/households?probe_size=one&limit=1").json
        second = client.get(f"/api/v1/households?probe_size=one&limit=1&cursor={first['next']}").json
        assert second["next"] is None
        assert {i["head_name"] for i in (*first["items"], *second["items"])} == {"吴·木子", "周永贵"}
        url = "/households/export?area=all&probe_size=more"
        rows = sheet(post(client, url, url, purpose="报县里"))
        assert len(rows) == 2
        assert rows[1][0] == "王德福"


def test_a_value_that_is_no_choice_is_refused_and_the_page_says_so(county: County) -> None:
    client = county.client("county_admin")
    with probe(county, register_household_filters=(SIZE,)):
        page = text(client, "/households?area=all&probe_size=huge")
        assert "probe_size" in page
        assert "王德福" in page
        answer = client.get("/api/v1/households?probe_size=huge")
        assert answer.status_code == 422
        assert answer.json["errors"][0]["path"] == "probe_size"
        assert faults(county) == {}


def test_where_it_is_off_there_is_no_such_condition_or_column(county: County, tongyu: County) -> None:
    there, here = tongyu.client("county_admin"), county.client("county_admin")
    with probe(county, register_household_filters=(SIZE,), register_household_columns=(column(notes),)):
        for client in (there,):
            page = text(client, "/households?area=all")
            assert "Size of it" not in page
            assert "Note of it" not in page
            assert client.get("/api/v1/households?probe_size=one").status_code == 422
            assert client.get("/api/v1/households?fields=probe_note").status_code == 422
            parameters = client.get("/api/v1/openapi.json").json["paths"]["/api/v1/households"]["get"]["parameters"]
            assert "probe" not in str(parameters)
            # An address that was kept from the days when it was on does not show everything in silence.
            assert "这里没有这个条件" in text(client, "/households?area=all&probe_size=one")
        parameters = here.get("/api/v1/openapi.json").json["paths"]["/api/v1/households"]["get"]["parameters"]
        assert {"probe_size"} <= {p["name"] for p in parameters}
        assert "probe_note" in next(p["description"] for p in parameters if p["name"] == "fields")


def test_a_column_is_chosen_shown_exported_and_given_by_the_api(county: County) -> None:
    client = county.client("county_admin")
    asked: list[list[int]] = []

    def remembered(uow: Uow, ids: Sequence[int]) -> Mapping[int, Any]:
        asked.append(list(ids))
        return notes(uow, ids)

    with probe(county, register_household_columns=(column(remembered),)):
        page = text(client, "/households?area=all")
        assert "Note of it" in page  # in the chooser
        assert "note " not in page
        assert asked == []
        assert text(client, "/households?area=all&cols=size,probe_note").count("note ") == 3
        assert len(asked) == 1
        assert len(asked[0]) == 3
        items = client.get("/api/v1/households?fields=head_name,probe_note").json["items"]
        assert {tuple(item) for item in items} == {("head_name", "probe_note")}
        assert all(item["probe_note"].startswith("note ") for item in items)
        assert "probe_note" not in client.get("/api/v1/households").json["items"][0]
        url = "/households/export?area=all&cols=probe_note"
        rows = sheet(post(client, url, url, purpose="报县里"))
        assert rows[0] == ["户主", "Note of it"]
        assert all(row[1].startswith("note ") for row in rows[1:])


def test_both_reach_no_further_than_the_right_they_need(county: County) -> None:
    """Sees the whole county, may edit in one village: condition and column belong to those who may edit."""
    client = county.client(holder(county, ("department", 0), ("village", OTHER_VILLAGE)))
    size = HouseholdFilter("probe_size", "Size of it", HOUSEHOLD_EDIT, sizes, of_size)
    with probe(county, register_household_filters=(size,), register_household_columns=(column(notes, HOUSEHOLD_EDIT),)):
        assert names(client.get("/api/v1/households")) == {"王德福", "吴·木子", "周永贵"}
        assert names(client.get("/api/v1/households?probe_size=one")) == {"周永贵"}
        items = client.get("/api/v1/households?fields=head_name,probe_note").json["items"]
        assert {i["head_name"] for i in items if i["probe_note"]} == {"周永贵"}
        outsider = county.client("department")
        assert "Size of it" not in text(outsider, "/households")
        assert outsider.get("/api/v1/households?probe_size=one").status_code == 422
        assert outsider.get("/api/v1/households?fields=probe_note").status_code == 422


def raising(*_given: Any) -> Any:
    raise KeyError("王德福")


def refusing(*_given: Any) -> Any:
    raise Refused("No.")


def hanging(*_given: Any) -> Any:
    while True:
        time.sleep(0.01)


def spoiling(uow: Uow, _value: Any) -> Any:
    scoped_sql(uow.session, "SELECT nothing FROM nowhere n WHERE {tenant:n}")


BAD_CONDITIONS = {
    "raises": raising,
    "refuses": refusing,
    "hangs": hanging,
    "spoils the transaction": spoiling,
    "nonsense": lambda *_: 7,
    "no parameters": lambda *_: ("h.id = :probe_size", {}),
    "ends the scope": lambda *_: ("true) OR (true", {}),
    "is no SQL": lambda *_: ("h.id IS IS NULL", {}),
    "unknown table": lambda *_: ("EXISTS (SELECT 1 FROM nowhere n WHERE {tenant:n})", {}),
    "divides by zero": lambda *_: ("1 / (h.person_count - h.person_count) = 1", {}),
    "another's parameter": lambda *_: ("h.state <> :state", {"state": "active"}),
    "sleeps": lambda *_: ("(SELECT true FROM pg_sleep(5))", {}),
}


@pytest.mark.parametrize("bad", BAD_CONDITIONS.values(), ids=BAD_CONDITIONS.keys())
def test_a_bad_condition_is_a_fault_the_list_says_it_comes_without(county: County, bad: Any) -> None:
    client = county.client("county_admin")
    broken = HouseholdFilter("probe_size", "Size of it", None, sizes, bad)
    good = HouseholdFilter(
        "probe_town", "Town", None, lambda _u: [("other", "other")],
        lambda _u, _v: ("h.area_code BETWEEN :probe_town_lo AND :probe_town_hi",
                        {"probe_town_lo": OTHER_TOWN, "probe_town_hi": OTHER_TOWN + 999_999}),
    )  # fmt: skip
    with statements.paused(), probe(county, register_household_filters=(broken, good)):
        page = text(client, "/households?area=all&probe_size=one")
        assert f"插件“{LABEL}”的筛选条件“Size of it”出错" in page
        for name in ("王德福", "吴·木子", "周永贵"):
            assert name in page
        page = text(client, "/households?area=all&probe_size=one&probe_town=other")
        assert "筛选条件“Size of it”出错" in page
        assert "筛选条件“Town”出错" not in page
        assert "周永贵" in page
        assert "王德福" not in page
        answer = client.get("/api/v1/households?probe_size=one&probe_town=other")
        assert answer.status_code == 409
        assert answer.json["type"] == "urn:xiangyue:error:plugin_failed"
        assert LABEL in answer.json["detail"]
        url = "/households/export?area=all&probe_size=one"
        exported = post(client, url, url, purpose="报县里")
        assert exported.status_code in (409, 422)
        assert LABEL in exported.get_data(as_text=True)
        found = faults(county)
        assert set(found) == {"household_filters:probe_size"}
        assert "王德福" not in str(found)


def test_choices_that_fail_take_the_condition_away(county: County) -> None:
    client = county.client("county_admin")
    with probe(
        county, register_household_filters=(HouseholdFilter("probe_size", "Size of it", None, raising, of_size),)
    ):
        assert "Size of it" not in text(client, "/households?area=all")
        assert "筛选条件“Size of it”出错" in text(client, "/households?area=all&probe_size=one")
        assert client.get("/api/v1/households?probe_size=one").status_code == 409
        assert set(faults(county)) == {"household_filters:probe_size"}


BAD_VALUES = {"raises": raising, "hangs": hanging, "nonsense": lambda *_: ["x"], "spoils": spoiling}


@pytest.mark.parametrize("bad", BAD_VALUES.values(), ids=BAD_VALUES.keys())
def test_a_bad_column_stays_empty_and_says_so(county: County, bad: Any) -> None:
    client = county.client("county_admin")
    with statements.paused(), probe(county, register_household_columns=(column(bad),)):
        page = text(client, "/households?area=all&cols=size,probe_note")
        assert f"插件“{LABEL}”的“Note of it”列出错" in page
        assert "王德福" in page
        answer = client.get("/api/v1/households?fields=id,probe_note")
        assert answer.status_code == 409
        assert LABEL in answer.json["detail"]
        url = "/households/export?area=all&cols=probe_note"
        exported = post(client, url, url, purpose="报县里")
        assert exported.status_code == 409
        assert LABEL in exported.get_data(as_text=True)
        assert "报县里" in exported.get_data(as_text=True)
        assert set(faults(county)) == {"household_columns:probe_note"}


def test_what_the_reader_does_wrong_is_no_fault_of_the_plugin(county: County) -> None:
    client = county.client("county_admin")
    with probe(county, register_household_filters=(SIZE,)):
        answer = client.get("/api/v1/households?probe_size=one&cursor=xyz")
        assert answer.status_code == 422
        assert client.get("/households?area=all&probe_size=one&after=xyz").status_code == 302
        assert faults(county) == {}


def test_without_plugins_the_list_costs_what_it_did(county: County) -> None:
    """Installed and off: not one statement more; on and not asked for: none of its own either."""
    client = county.client("county_admin")
    urls = ("/api/v1/households", "/households?area=all")

    def cost() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with counted(county) as seen:
                assert client.get(url).status_code == 200
            found.append(len(seen))
        return found

    before = cost()
    with probe(county, register_household_columns=(column(notes),)):
        assert cost() == before
    assert cost() == before
