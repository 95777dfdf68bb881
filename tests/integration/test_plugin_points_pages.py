"""What a plugin puts on the household page, the cockpit, the search and the work list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from households_kit import OTHER_VILLAGE, TOWN, VILLAGE, filled_county, id_of, post, text
from points_kit import drawing, faults, holder, probe
from sqlalchemy import func, select

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Household
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.plugin.registry import (
    DashboardCard,
    HouseholdPanel,
    PanelView,
    SearchHit,
    SearchKind,
    WorkItem,
    WorkProvider,
)
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]

CARD = """{% import "components/ui.html" as ui with context %}
<p>{{ ui.chip("red", word) }} {{ _("Save") }} {{ locale }} {{ csrf_token()|length }}</p>"""
FAILED = "无法显示，原因见插件页"
Build = Callable[..., Any]


def panel(build: Build, permission: Any = None, key: str = "probe_colour", position: int = 50) -> HouseholdPanel:
    return HouseholdPanel(key, f"Panel {key}", permission, build, position)


def household_url(county: County, code: str = "6109211002000001") -> str:
    return f"/households/{id_of(county, Household, code=code)}"


def broken_ways(folder: Path) -> dict[str, Build]:
    (folder / "probe").mkdir(parents=True, exist_ok=True)
    (folder / "probe" / "undefined.html").write_text("{{ nothing.at.all }}", "utf-8")
    (folder / "probe" / "syntax.html").write_text("{% if %}", "utf-8")

    def spoil(uow: Uow, _id: int) -> None:
        uow.session.add(Household(area_code=VILLAGE, code=None))  # type: ignore[arg-type]

    def commit(uow: Uow, _id: int) -> None:
        uow.commit()

    def raises(_uow: Uow, _id: int) -> None:
        raise LookupError("王德福")

    return {
        "raises": raises,
        "nonsense": lambda *_: "<b>HTML</b>",
        "no template": lambda *_: PanelView("probe/none.html"),
        "another's template": lambda *_: PanelView("households/show.html"),
        "undefined": lambda *_: PanelView("probe/undefined.html"),
        "syntax": lambda *_: PanelView("probe/syntax.html"),
        "context": lambda *_: PanelView("probe/card.html", {"locale": object(), "word": _Unprintable()}),
        "leaves rubbish": spoil,
        "commits": commit,
    }


class _Unprintable:
    def __str__(self) -> str:
        raise ZeroDivisionError


def test_panels_stand_beside_the_core_s_own_in_their_order(county: County, tongyu: County, tmp_path: Path) -> None:
    seen: list[tuple[int, Any]] = []

    def build(uow: Uow, id: int) -> PanelView:
        seen.append((id, uow.scope.ranges))
        return PanelView("probe/card.html", {"word": "<red>"})

    panels = (
        panel(build, key="probe_b", position=60),
        panel(build, key="probe_a"),
        panel(lambda *_: None, key="probe_c"),
    )
    with drawing(county, tmp_path, {"card.html": CARD}, register_household_panels=panels) as shown:
        page = text(shown.client("county_admin"), household_url(county))
        assert page.index("Panel probe_a") < page.index("Panel probe_b") < page.index("基本信息")
        assert "Panel probe_c" not in page
        assert "&lt;red&gt;" in page
        assert "保存 zh 64" in page
        assert 'id="panel-probe_a"' in page
        assert {id for id, _ranges in seen} == {int(household_url(county).rpartition("/")[2])}
        # The same application, another county: nothing of it.
        there = County(tongyu.runtime, shown.app, tongyu.info)
        with tongyu.uow() as uow:
            area = there.info.area_code
            home = Household(area_code=area, code="2208220000000001", head_name="周")
            uow.session.add(home)
            uow.session.flush()
            url = f"/households/{home.id}"
        assert "Panel probe" not in text(there.client("county_admin"), url)


def test_a_panel_is_for_those_with_its_right_at_this_household(county: County, tmp_path: Path) -> None:
    client_of: Callable[[County], FlaskClient] = lambda shown: shown.client(  # noqa: E731
        holder(county, ("department", 0), ("village", OTHER_VILLAGE))
    )
    ranges: list[Any] = []

    def build(uow: Uow, _id: int) -> PanelView:
        ranges.append(uow.scope.ranges)
        return PanelView("probe/card.html")

    hooks = {"register_household_panels": (panel(build, HOUSEHOLD_EDIT),)}
    with drawing(county, tmp_path, {"card.html": CARD}, **hooks) as shown:
        client = client_of(shown)
        assert "Panel probe_colour" not in text(client, household_url(county))
        assert "Panel probe_colour" in text(client, household_url(county, "6109211012000001"))
        assert ranges == [((OTHER_VILLAGE, OTHER_VILLAGE + 999),)]


WAYS = (
    "raises", "nonsense", "no template", "another's template", "undefined", "syntax", "context", "leaves rubbish",
    "commits",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_panel_that_fails_is_left_out_and_told_to_those_who_look_after_plugins(
    county: County, tmp_path: Path, way: str
) -> None:
    bad = panel(broken_ways(tmp_path)[way])
    good = panel(lambda *_: PanelView("probe/card.html", {"word": "fine"}), key="probe_good", position=90)
    with drawing(county, tmp_path, {"card.html": CARD}, register_household_panels=(bad, good)) as shown:
        page = text(shown.client("department"), household_url(county))
        assert "fine" in page
        assert "Panel probe_colour" not in page
        assert FAILED not in page
        watcher = shown.client(holder(county, ("department", 0), plugin__view=0))
        assert f"“Panel probe_colour”{FAILED}" in text(watcher, household_url(county))
        found = faults(county)
        assert set(found) == {"household_panels:probe_colour"}
        assert "王德福" not in str(found)


def card(build: Build, permission: Any = None) -> DashboardCard:
    return DashboardCard("probe_card", "Card of it", permission, build)


def test_cards_of_the_cockpit_count_in_the_area_that_is_looked_at(county: County, tmp_path: Path) -> None:
    def build(uow: Uow, area: int) -> PanelView:
        number = uow.session.scalar(select(func.count(Household.id)))
        return PanelView("probe/card.html", {"word": f"{number} in {area}"})

    with drawing(county, tmp_path, {"card.html": CARD}, register_dashboard_cards=(card(build),)) as shown:
        client = shown.client("county_admin")
        assert "3 in 0" in text(client, "/cockpit?area=all")
        assert f"2 in {TOWN}" in text(client, f"/cockpit?area={TOWN // 1000}")
    with drawing(county, tmp_path, {}, register_dashboard_cards=(card(build, HOUSEHOLD_EDIT),)) as shown:
        assert "1 in 0" in text(
            shown.client(holder(county, ("department", 0), ("village", OTHER_VILLAGE))), "/cockpit?area=all"
        )
        assert "Card of it" not in text(shown.client("department"), "/cockpit?area=all")


@pytest.mark.parametrize("way", WAYS)
def test_a_card_that_fails_leaves_the_cockpit_as_it_was(county: County, tmp_path: Path, way: str) -> None:
    bad = card(broken_ways(tmp_path)[way])
    with drawing(county, tmp_path, {"card.html": CARD}, register_dashboard_cards=(bad,)) as shown:
        client = shown.client("county_admin")
        page = text(client, "/cockpit?area=all")
        assert "Card of it" not in page or FAILED in page
        assert set(faults(county)) == {"dashboard_cards:probe_card"}


def kind(find: Build, permission: Any = None) -> SearchKind:
    return SearchKind("probe_plan", "Plans of it", permission, find)


def test_search_finds_other_things_as_one_types_and_on_the_page(county: County, tongyu: County) -> None:
    asked: list[tuple[str, int, Any]] = []

    def find(uow: Uow, q: str, limit: int) -> list[SearchHit]:
        asked.append((q, limit, uow.scope.ranges))
        return [SearchHit(f"计划 {n} <b>", "", f"/p/probe/{n}") for n in range(50)]

    with probe(county, register_search_kinds=(kind(find),)):
        client = county.client("village", area=VILLAGE)
        page = text(client, "/search?q=计划")
        assert page.count('href="/p/probe/') == 20
        assert "计划</span> 0 &lt;b&gt;" in page or "计划 0 &lt;b&gt;" in page
        brief = post(client, "/search", "/search?brief=1", q="计划").headers  # a plain form goes on to the page
        assert brief["Location"]
        token = {"csrf_token": _token(client), "q": "计划"}
        quick = client.post("/search?brief=1", data=token, headers={"HX-Request": "true"})
        assert quick.text.count('href="/p/probe/') == 6
        assert "kind=probe_plan" in quick.text
        assert text(client, "/search?q=计划&kind=probe_plan").count('href="/p/probe/') == 50
        assert 'href="/p/probe/' not in text(client, "/search?q=计划&kind=persons")
        bearer = county.bearer(county.account("village", area=VILLAGE))
        (others,) = client.get("/api/v1/search?q=计划&kinds=probe_plan&limit=2", headers=bearer).get_json()["others"]
        assert (others["kind"], others["label"]) == ("probe_plan", "Plans of it")
        assert others["hits"][1] == {"title": "计划 1 <b>", "detail": "", "url": "/p/probe/1"}
        client.post("/search?brief=1", data=token, headers={"HX-Request": "true"})
        assert asked[-1] == ("计划", 6, ((VILLAGE, VILLAGE + 999),))
        asked.clear()
        # A citizen number is nobody's business.
        sealed = post(client, "/search", "/search", q="610921198001310011").headers["Location"]
        text(client, sealed)
        assert asked == []
        assert "Plans of it" not in text(tongyu.client("county_admin"), "/search?q=计划")
    with probe(county, register_search_kinds=(kind(find, HOUSEHOLD_EDIT),)):
        assert "Plans of it" not in text(county.client("department"), "/search?q=计划")


def _token(client: Any) -> str:
    page = text(client, "/search")
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "bad",
    [
        lambda *_: 1 / 0,
        lambda *_: "hits",
        lambda *_: [{"title": "x"}],
        lambda *_: [SearchHit("x", "", "https://elsewhere.example/")],
        lambda *_: [SearchHit("x", "", "javascript:alert(1)")],
        lambda *_: [SearchHit("x", _Unprintable(), "/p/probe")],
    ],
    ids=["raises", "text", "dicts", "elsewhere", "script", "words"],
)
def test_a_search_that_fails_finds_what_the_core_finds(county: County, bad: Build) -> None:
    with probe(county, register_search_kinds=(kind(bad),)):
        page = text(county.client("county_admin"), "/search?q=王")
        assert "王德福" in page
        assert "Plans of it" not in page
        assert set(faults(county)) == {"search_kinds:probe_plan"}


def test_work_of_a_plugin_stands_in_the_work_list_of_its_county(county: County, tongyu: County) -> None:
    ranges: list[Any] = []

    def find(uow: Uow) -> list[WorkItem]:
        ranges.append(uow.scope.ranges)
        return [WorkItem("走访 <b>", "王", "/p/probe/x", "Go", state="late")]

    with probe(county, register_work=(WorkProvider("probe.visits", find),)):
        page = text(county.client("village", area=VILLAGE), "/")
        assert "走访</span> &lt;b&gt;" in page or "走访 &lt;b&gt;" in page
        assert "其中 1 件已迟" in page
        assert ranges == [((VILLAGE, VILLAGE + 999),)]
        assert "/p/probe/x" not in text(tongyu.client("county_admin"), "/")


@pytest.mark.parametrize(
    "bad",
    [
        lambda _u: 1 / 0,
        lambda _u: [1],
        lambda _u: 7,
        lambda _u: [WorkItem("x", "", "//elsewhere", "Go")],
        lambda _u: [WorkItem("x", _Unprintable(), "/x", "Go")],
    ],
    ids=["raises", "numbers", "number", "elsewhere", "words"],
)
def test_work_that_fails_is_left_out(county: County, bad: Build) -> None:
    with probe(county, register_work=(WorkProvider("probe.visits", bad),)):
        assert "今日" in text(county.client("county_admin"), "/")
        assert set(faults(county)) == {"work:probe.visits"}
