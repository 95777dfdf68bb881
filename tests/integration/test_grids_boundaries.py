"""Outlines of grids from GeoJSON: what is refused and why, what overlaps and what is left out, undo, as of a day."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from grids_kit import FIRST, TOWN, VILLAGE, divided_county, grid, group_grid, homes, made_by
from households_kit import hidden, text

from xiangyue.errors import Invalid
from xiangyue.features.grids import service
from xiangyue.features.grids.boundaries.fit import look
from xiangyue.features.grids.boundaries.geojson import GCJ02, UNKNOWN, UNMATCHED, WGS84, Reading, read_features
from xiangyue.features.grids.boundaries.matching import match
from xiangyue.features.grids.queries_boundaries import fits, outlines
from xiangyue.features.grids.service_boundaries import import_boundaries
from xiangyue.features.households.person_input import today
from xiangyue.i18n import in_locale
from xiangyue.testing.fixtures import County
from xiangyue.testing.statements import counted

__all__ = ["divided_county"]

OURS = Reading(WGS84)
#: A hundredth of a degree at 33° north: 934 m by 1,109 m.
STEP = 0.01
X, Y = 108.5, 33.0


def square(x: float, y: float, width: float = 1, height: float = 1) -> dict[str, Any]:
    """In steps from the corner."""
    west, south = X + x * STEP, Y + y * STEP
    east, north = west + width * STEP, south + height * STEP
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **more}


def polygon(*points: tuple[float, float], close: bool = True) -> dict[str, Any]:
    ring = [[X + x * STEP, Y + y * STEP] for x, y in points]
    return {"type": "Polygon", "coordinates": [ring + ring[:1] if close else ring]}


def whole_fault(body: Any, how: Reading = OURS) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Invalid) as refused:
        read_features(data, how)
    return str(next(iter(refused.value.fields.values()))[0])


def first_of(geometry: Any, how: Reading = OURS) -> Any:
    return read_features(json.dumps(collection(feature(geometry, code="1"))).encode(), how)[0]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"PK\x03\x04 shapefile", "no GeoJSON"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "no GeoJSON"),
        ({"type": "Topology"}, "not a GeoJSON collection"),
        (collection(), "no feature"),
        (collection(*[feature(None)] * 5_001), "5001 features"),
        (b" " * (10 * 2**20 + 1), "larger than 10 MB"),
        (collection(feature(square(0, 0)), crs={"type": "name", "properties": {"name": "EPSG:4547"}}), "EPSG:4547"),
        (collection(feature({"type": "Polygon", "coordinates": [[[547_000.5, 3_652_000.1]]]})), "Gauss–Krüger"),
        (collection(feature({"type": "Polygon", "coordinates": [[[37_547_000.5, 3_652_000.1]]]})), "metres"),
        (collection(feature({"type": "Polygon", "coordinates": [[[12_078_000, 3_895_000]]]})), "Web Mercator"),
        (collection(feature({"type": "Polygon", "coordinates": [[[33.0, 108.5]]]})), "exchanged"),
    ],
)
def test_what_concerns_the_whole_file_is_said_of_the_file(body: Any, says: str) -> None:
    with in_locale("en"):
        assert says in whole_fault(body)


def test_the_system_must_be_known() -> None:
    body = collection(feature(square(0, 0), code="1"))
    with in_locale("en"):
        assert "Say in which" in whole_fault(body, Reading(""))
        assert "700 m" in whole_fault(body, Reading(GCJ02))
        assert "Ask whoever" in whole_fault(body, Reading(UNKNOWN))
        for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4490", "EPSG:4326", "CGCS2000"):
            crs = {"type": "name", "properties": {"name": name}}
            assert read_features(json.dumps({**body, "crs": crs}).encode(), OURS)[0].geometry
        crs = {"type": "name", "properties": {"name": "CGCS2000 / 3-degree Gauss-Kruger zone 37"}}
        assert "zone 37" in whole_fault({**body, "crs": crs})


def test_an_outline_is_refused_with_where_or_mended_and_told() -> None:
    with in_locale("en"):
        crossing = first_of(polygon((0, 0), (1, 1), (1, 0), (0, 1)))
        assert crossing.geometry is None
        assert "crosses itself at 108.505000, 33.005000" in str(crossing.faults[0])
        assert "no outline" in str(first_of(None).faults[0])
        assert "no outline" in str(first_of({"type": "Polygon", "coordinates": []}).faults[0])
        assert "LineString" in str(first_of({"type": "LineString", "coordinates": [[X, Y], [X, Y + 1]]}).faults[0])
        assert "fewer than three" in str(first_of(polygon((0, 0), (1, 1))).faults[0])
        assert "pairs of numbers" in str(first_of({"type": "Polygon", "coordinates": [[[X, "a"]]]}).faults[0])
        far = square(0, 0)
        far["coordinates"][0][2] = [10.0, 10.0]
        assert "outside China" in str(first_of(far).faults[0])
        opened = first_of(polygon((0, 0), (1, 0), (1, 1), close=False))
        assert "were closed" in str(opened.notes[0])
        assert opened.geometry["coordinates"][0][0] == opened.geometry["coordinates"][0][-1]
        many = [(n / 3000, (n % 2) * 1e-4) for n in range(3001)]
        long = polygon(*many, (1, 1), (0, 1))
        assert "3003 points" in str(first_of(long).faults[0])
        fewer = first_of(long, Reading(WGS84, simplify=True))
        assert fewer.geometry
        assert "were kept" in str(fewer.notes[0])
        swapped = square(0, 0)
        swapped["coordinates"] = [[[y, x] for x, y in swapped["coordinates"][0]]]
        assert first_of(swapped, Reading(WGS84, swapped=True)).geometry == first_of(square(0, 0)).geometry


@pytest.fixture(name="drawn", scope="module")
def three_grids(county: County) -> tuple[County, int, int, int]:
    """The village (level 1) with one grid for each group below it."""
    with county.uow() as uow:
        above = made_by(service.create_grid(uow, area_code=VILLAGE, name="全村", level=1, on=FIRST))
        one, two = (group_grid(uow, n, parent_id=above) for n in (1, 2))
    return county, above, one, two


def codes(county: County, *ids: int) -> list[str]:
    with county.uow() as uow:
        return [grid(uow, id).code for id in ids]


def taken(county: County, *features: Any, on: Any = FIRST, chosen: str = "") -> Any:
    with county.uow() as uow:
        return import_boundaries(uow, data=collection(*features), how=OURS, on=on, chosen=chosen, reason="测绘")


def test_overlap_gap_and_beyond_in_square_metres_and_the_undo(drawn: tuple[County, int, int, int]) -> None:
    county, above, one, two = drawn
    a, b = codes(county, one, two)
    # The village is 4 by 1; grid one 0–2, grid two 1.5–3 and half a step above the village: a quarter lies in none.
    plan, changes = taken(
        county,
        feature(square(0, 0, 4), 编码=str(VILLAGE // 1000)),
        feature(square(0, 0, 2), 编码=a),
        feature(square(1.5, 0, 1.5, 1.5), 编码=b),
    )
    assert plan.chosen == "编码"
    assert len(changes) == 1
    unit = 934.4 * 1109.1
    with county.uow() as uow:
        found = {(m.kind, m.grids): m.area for m in fits(uow, [VILLAGE], FIRST)[VILLAGE].misfits}
        expected = {("overlap", (one, two)): 0.5, ("gap", ()): 1, ("beyond", (two,)): 0.75}
        assert found.keys() == expected.keys()
        for key, area in found.items():
            assert area == pytest.approx(expected[key] * unit, rel=0.002)
        assert {o.id for o in outlines(uow, VILLAGE, FIRST) if o.boundary} == {above, one, two}
        assert not any(o.boundary for o in outlines(uow, VILLAGE, FIRST - timedelta(1)))
        assert fits(uow, [VILLAGE], FIRST - timedelta(1)) == {}
    # From a later day on another outline; the earlier day keeps the first, and an undo brings it back everywhere.
    later = FIRST + timedelta(30)
    _plan, second = taken(county, feature(square(2, 0, 2), 编码=b), on=later)
    with county.uow() as uow:
        assert [m.kind for m in fits(uow, [VILLAGE], later)[VILLAGE].misfits] == []
        assert len(fits(uow, [VILLAGE], later - timedelta(1))[VILLAGE].misfits) == 3
        change = service.undo_change(uow, change_id=second[0].id, version=second[0].version, reason="错图")
        assert change.state == "undone"
        assert len(fits(uow, [VILLAGE], later)[VILLAGE].misfits) == 3
    with pytest.raises(Invalid) as same:
        taken(county, feature(square(0, 0, 2), 编码=a))
    assert set(same.value.fields) == {""}
    with county.uow() as uow:
        service.undo_change(uow, change_id=changes[0].id, version=1, reason="重来")
        assert not any(o.boundary for o in outlines(uow, VILLAGE, later))


def test_merged_grids_have_the_outline_around_both(drawn: tuple[County, int, int, int]) -> None:
    county, above, one, _two = drawn
    with county.uow() as uow:
        ids = homes(uow, 1)
        parts = [{"name": "甲", "household_ids": ids[:2]}, {"name": "乙", "household_ids": ids[2:]}]
        cut = service.split_grid(uow, grid_id=one, version=grid(uow, one).version, on=FIRST, parts=parts, below=True,
                                 size_reason="院落")  # fmt: skip
        left, right = cut.changes["made"]
        named = [grid(uow, id).code for id in (left, right)]
    _plan, changes = taken(county, *(feature(square(n, 0), code=code) for n, code in enumerate(named)))
    with county.uow() as uow:
        merged = service.merge_grids(uow, grid_ids=[right], into_id=left, on=FIRST, reason="合并", size_reason="院落")
        now = {o.id: o.boundary for o in outlines(uow, VILLAGE, FIRST)}
        corners = now[left]["coordinates"][0]
        assert max(x for x, _y in corners) - min(x for x, _y in corners) == pytest.approx(2 * STEP)
        for change in (merged, changes[0], cut):
            service.undo_change(uow, change_id=change.id, version=1, reason="重来")
        assert above in {o.id for o in outlines(uow, VILLAGE, FIRST)}


def test_each_line_says_what_stands_against_it(drawn: tuple[County, int, int, int]) -> None:
    county, _above, one, two = drawn
    with county.uow() as uow:
        old = grid(uow, one).code
        recoded = service.recode_grid(uow, grid_id=one, version=grid(uow, one).version, code="XY9", reason="统一")
    (b,) = codes(county, two)
    body = [
        feature(square(0, 0), id=1, code=old, name="一组"), feature(square(1, 0), id=2, code=b),
        feature(square(2, 0), id=3, code=b), feature(square(3, 0), id=4, code="610921999"),
        feature(None, id=5, code="XY9"), feature(square(5, 0), id=6),
    ]  # fmt: skip
    answer = call(county, "POST", "/grids/boundaries", {"collection": collection(*body[:4], body[5]), "dry_run": True,
                                                        "system": "wgs84", "on": "2026-01-01"})  # fmt: skip
    assert answer["property"] == "code"
    assert answer["changes"] == []
    lines = {line["number"]: line for line in answer["lines"]}
    assert [lines[n]["state"] for n in range(1, 6)] == ["taken", "faulty", "faulty", "unknown", "unknown"]
    assert lines[1]["grid_id"] == one
    assert "XY9" in lines[1]["says"][0]
    assert "2、3" in lines[2]["says"][0]
    # The same grid by its old code and its new one, one of them without outline: neither is taken.
    twice = call(county, "POST", "/grids/boundaries", {"collection": collection(body[0], body[4]), "system": "wgs84",
                                                       "on": "2026-01-01"}, status=422)  # fmt: skip
    assert {error["path"] for error in twice["errors"]} == {"file"}
    early = {"collection": collection(body[0]), "system": "wgs84", "on": "2025-12-31", "dry_run": True}
    assert call(county, "POST", "/grids/boundaries", early)["lines"][0]["state"] == "faulty"
    wrong = {"collection": collection(body[0]), "system": "gcj02", "on": "2026-01-01"}
    assert call(county, "POST", "/grids/boundaries", wrong, status=422)["errors"][0]["path"] == "system"
    done = call(county, "POST", "/grids/boundaries", {"collection": collection(*body[:2]), "system": "wgs84",
                                                      "on": "2026-01-01", "reason": "测绘"})  # fmt: skip
    assert [change["kind"] for change in done["changes"]] == ["boundary"]
    out = call(county, "GET", f"/grids/boundaries?area={VILLAGE // 1000}&on=2026-01-01")
    assert {one["properties"]["code"] for one in out["features"]} == {"XY9", b}
    assert call(county, "GET", f"/grids/boundaries/fit?area={VILLAGE // 1000}")["misfits"] == []
    # What was exported is what stands: taken over again it changes nothing.
    again = {"collection": out, "system": "wgs84", "on": "2026-01-01"}
    assert call(county, "POST", "/grids/boundaries", again, status=422)["errors"][0]["path"] == ""
    foreign = call(county, "POST", "/grids/boundaries", {**wrong, "system": "wgs84", "dry_run": True},
                   area=610921101000_000)  # fmt: skip
    assert foreign["lines"][0]["state"] == "unknown"
    with county.uow() as uow:
        service.undo_change(uow, change_id=done["changes"][0]["id"], version=1, reason="重来")
        service.undo_change(uow, change_id=recoded.id, version=1, reason="重来")


def call(county: County, method: str, path: str, body: Any = None, *, status: int = 200, area: int = TOWN) -> Any:
    answer = county.client().open(
        f"/api/v1{path}", method=method, json=body, headers=county.bearer(county.account("town", area=area))
    )
    assert answer.status_code == status, answer.get_json()
    return answer.get_json()


def test_by_page_from_the_file_to_the_map(drawn: tuple[County, int, int, int]) -> None:
    county, above, one, two = drawn
    client = county.client(county.account("town", area=TOWN))
    map_url = f"/grids/map?area={VILLAGE // 1000}"
    assert "GeoJSON" in text(client, map_url), "an empty map says what to do"
    a, b = codes(county, one, two)
    token = hidden(text(client, "/grids/boundaries"), "csrf_token")

    def send(body: Any, **more: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        form = {"csrf_token": token, "on": "2026-01-01", "system": "wgs84", "file": (io.BytesIO(data), "图.geojson")}
        return client.post("/grids/boundaries", data={**form, **more}, content_type="multipart/form-data")

    refused = send(b"not a map", on="2026-01-02")
    assert refused.status_code == 422
    assert 'value="2026-01-02"' in refused.get_data(as_text=True)
    body = collection(
        feature(square(0, 0, 2), code=a, name="<b>一组</b>"),
        feature(square(1, 0, 2), code=b),
        feature(square(9, 0), code="ZZ"),
        feature(polygon((0, 0), (1, 1), (1, 0), (0, 1)), code="Q"),
    )
    sent = send(body)
    assert sent.status_code == 303
    shown = text(client, sent.location)
    assert "重叠" in shown
    assert "自相交" in shown
    assert "<b>一组</b>" not in shown
    stranger = county.client(county.account("town", area=TOWN))
    assert stranger.get(sent.location).status_code == 404
    form = {"csrf_token": token, "on": "2026-01-01", "system": "wgs84", "property": "code", "reason": "国土调查"}
    wrong = client.post(sent.location.split("?")[0], data={**form, "on": "2040-01-01"})
    assert wrong.status_code == 422
    assert "国土调查" in wrong.get_data(as_text=True)
    done = client.post(sent.location.split("?")[0], data=form)
    assert done.status_code == 303
    assert "设定或移除边界" in text(client, done.location)
    page = text(client, map_url)
    assert "1组网格" in page
    assert "重叠" in page
    assert page.count("data-map-row=") == 2
    assert "data-map-row=" not in text(client, f"{map_url}&on=2025-12-31")
    out = client.post(f"/grids/boundaries.geojson?area={VILLAGE // 1000}", data={"csrf_token": token})
    assert len(out.get_json(force=True)["features"]) == 2
    assert "geojson" in out.headers["Content-Disposition"]
    village = county.client(county.account("grid_leader", area=VILLAGE + 1))
    assert village.get("/grids/boundaries").status_code == 403
    assert above


@pytest.mark.parametrize("code", ["\x00", "\ud800", "²" * 12])
def test_what_is_no_code_means_no_grid(county: County, code: str) -> None:
    with county.uow() as uow:
        plan = match(uow, collection(feature(square(0, 0), code="1", other=code)), OURS, FIRST, "code")
    assert [line.state for line in plan.lines] == [UNMATCHED]


def test_numbers_without_bound_are_no_coordinates() -> None:
    found = first_of({"type": "Polygon", "coordinates": [[[10**400, Y], [X, Y], [X, Y + STEP], [10**400, Y]]]})
    assert found.geometry is None
    assert len(found.faults) == 1


def test_outlines_that_cross_themselves_are_looked_at_all_the_same() -> None:
    bow = polygon((0, 0), (1, 1), (1, 0), (0, 1))
    misfits = look({1: bow, 2: square(0, 0)}, square(0, 0)).misfits
    assert [(one.kind, one.grids) for one in misfits] == [("overlap", (1, 2))]


def test_where_nothing_can_be_taken_over_the_reasons_are_told(drawn: tuple[County, int, int, int]) -> None:
    county, _above, _one, two = drawn
    (b,) = codes(county, two)
    crossing = polygon((0, 0), (1, 1), (1, 0), (0, 1))
    with in_locale("en"):
        with pytest.raises(Invalid) as refused:
            taken(county, feature(crossing, 编码=b), chosen="编码")
        first, why = (str(text) for text in refused.value.fields["file"])
    assert "can be taken over" in first
    assert "crosses itself at 108.505000, 33.005000" in why


def test_an_outline_is_removed_on_the_page_and_by_the_api_and_comes_back(drawn: tuple[County, int, int, int]) -> None:
    county, _above, one, _two = drawn
    (a,) = codes(county, one)
    taken(county, feature(square(0, 0, 3), code=a))
    client = county.client(county.account("town", area=TOWN))
    page = text(client, f"/grids/{one}")
    form = {"csrf_token": hidden(page, "csrf_token"), "version": hidden(page, "version"), "on": today().isoformat()}
    late = client.post(f"/grids/{one}/outline/remove", data={**form, "version": "1"})
    assert late.status_code == 303
    assert has(county, one), "somebody saved in the meantime"
    done = client.post(f"/grids/{one}/outline/remove", data={**form, "reason": "画错了"})
    assert not has(county, one)
    with county.uow() as uow:
        assert drawn_on(uow, one, today() - timedelta(1)), "the days before keep it"
    page = text(client, f"/grids/{one}")
    assert f"已于{today()}终止" in page
    assert 'href="/grids/boundaries"' in page
    change = int(done.location.rsplit("/", 1)[1])
    with county.uow() as uow:
        service.undo_change(uow, change_id=change, version=1, reason="重来")
    assert has(county, one)
    with county.uow() as uow:
        version = grid(uow, one).version
    headers = {**county.bearer(county.account("town", area=TOWN)), "If-Match": f'"{version}"'}
    path = f"/api/v1/grids/{one}/boundary/remove"
    answer = county.client().post(path, json={"on": today().isoformat()}, headers=headers)
    assert answer.get_json()["kind"] == "boundary"
    assert county.client().post(path, json={"on": today().isoformat()}, headers=headers).status_code == 412
    again = {**headers, "If-Match": f'"{version + 1}"'}
    refused = county.client().post(path, json={"on": today().isoformat()}, headers=again)
    assert refused.get_json()["errors"][0]["path"] == "on"
    with county.uow() as uow:
        service.undo_change(uow, change_id=answer.get_json()["id"], version=1, reason="重来")


def test_an_outline_ends_with_the_split_of_its_grid(drawn: tuple[County, int, int, int]) -> None:
    county, _above, one, _two = drawn
    with county.uow() as uow:
        ids = homes(uow, 1)
        kept = {"grid_id": one, "on": today(), "size_reason": "院落"}
        below = [{"name": "甲", "household_ids": ids[:2]}, {"name": "乙", "household_ids": ids[2:]}]
        change = service.split_grid(uow, version=grid(uow, one).version, parts=below, below=True, **kept)
        assert drawn_on(uow, one, today()), "what lies below it changes nothing of its outline"
        service.undo_change(uow, change_id=change.id, version=1, reason="重来")
        change = service.split_grid(uow, version=grid(uow, one).version, parts=below[:1], **kept)
        assert not drawn_on(uow, one, today())
        service.undo_change(uow, change_id=change.id, version=1, reason="重来")
        assert drawn_on(uow, one, today())
        parts = [
            {"key": "a", "name": "一", "level": 2, "area_code": VILLAGE + 1, "keep_grid_id": one,
             "household_ids": ids[2:]},
            {"key": "b", "name": "二", "level": 2, "area_code": VILLAGE + 2, "household_ids": homes(uow, 2)},
        ]  # fmt: skip
        whole = [{**parts[0], "household_ids": ids}, parts[1]]
        new = {"name": "三", "level": 2, "area_code": VILLAGE + 1, "household_ids": ids[:2]}
        for plan, stays in ((whole, True), ([*parts, new], False)):
            change = service.apply_division(uow, village=VILLAGE, on=today(), parts=plan, reason="x", size_reason="x")
            assert drawn_on(uow, one, today()) is stays
            service.undo_change(uow, change_id=change.id, version=1, reason="重来")


def on_the_map(client: Any, url: str, id: str = "grids") -> dict[str, str]:
    """Name -> state of the outlines that a page draws."""
    found = re.search(rf'<script type="application/json" id="map-{id}-data">(.*?)</script>', text(client, url), re.S)
    return {shape["label"]: shape["state"] for shape in json.loads(found[1])["shapes"]} if found else {}


def test_a_map_draws_the_outlines_of_the_readers_own_area(drawn: tuple[County, int, int, int]) -> None:
    county, _above, one, two = drawn
    a, b = codes(county, one, two)
    taken(county, feature(square(0, 0), code=a), feature(square(1, 0), code=b), on=today())
    town = county.client(county.account("town", area=TOWN))
    assert on_the_map(town, "/grids/map?area=all").keys() == {"1组网格", "2组网格"}
    assert on_the_map(town, f"/grids/{one}", "grid") == {"1组网格": "chosen", "2组网格": "unled"}
    group = county.client(county.account("grid_leader", area=VILLAGE + 1))
    assert on_the_map(group, "/grids/map").keys() == {"1组网格"}
    assert on_the_map(group, f"/grids/{one}", "grid") == {"1组网格": "chosen"}
    assert group.get(f"/grids/{two}").status_code == 404
    elsewhere = county.client(county.account("town", area=TOWN + 1_000_000))
    assert on_the_map(elsewhere, "/grids/map") == {}
    assert elsewhere.get(f"/grids/map?area={VILLAGE // 1000}").status_code == 404
    assert elsewhere.get(f"/grids/{one}").status_code == 404


def test_a_map_of_another_county_draws_nothing_of_it(drawn: tuple[County, int, int, int], tongyu: County) -> None:
    county, _above, one, _two = drawn
    assert on_the_map(county.client("county_admin"), "/grids/map")
    other = tongyu.client("county_admin")
    assert on_the_map(other, "/grids/map") == {}
    assert other.get(f"/grids/{one}").status_code == 404


def test_too_many_outlines_are_not_read(drawn: tuple[County, int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    county, _above, one, two = drawn
    a, b = codes(county, one, two)
    with county.uow() as uow:
        import_boundaries(uow, data=collection(feature(square(0, 0, 2), code=a), feature(square(2, 0, 2), code=b)),
                          how=OURS, on=today())  # fmt: skip
    monkeypatch.setattr("xiangyue.features.grids.pages.map.MOST", 1)
    monkeypatch.setattr("xiangyue.features.grids.api_boundaries.MOST", 1)
    monkeypatch.setattr("xiangyue.features.grids.api_boundaries.MAX_FEATURES", 1)
    monkeypatch.setattr("xiangyue.features.grids.service_boundaries.MAX_FEATURES", 1)
    client = county.client(county.account("town", area=TOWN))
    with counted() as spoken:
        page = text(client, "/grids/map?area=all")
    assert "网格太多" in page
    assert "此处有2个网格有边界" in page
    assert not [sql for sql in spoken if "v.parent_id, v.boundary" in sql and "v.level =" not in sql]
    for path in ("/grids/boundaries", "/grids/boundaries/fit"):
        refused = call(county, "GET", path, status=422)
        assert "请选择较小的区域" in refused["errors"][0]["message"]
    sent = client.post("/grids/boundaries.geojson", data={"csrf_token": hidden(page, "csrf_token")})
    assert sent.status_code == 303


def has(county: County, id: int) -> bool:
    with county.uow() as uow:
        return drawn_on(uow, id, today())


def drawn_on(uow: Any, id: int, on: Any) -> bool:
    uow.session.flush()
    return bool(next(one.boundary for one in outlines(uow, VILLAGE, on) if one.id == id))
