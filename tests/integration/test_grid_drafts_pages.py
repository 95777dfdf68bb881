"""Pages and API of drafts of grids, as a village and its town use them."""

from __future__ import annotations

import re
from typing import Any

from drafts_kit import two_groups  # noqa: F401 - a fixture
from grids_kit import VILLAGE
from households_kit import hidden, post, text

from xiangyue.features.drafts.models import GridDraft
from xiangyue.features.drafts.queries import live_draft
from xiangyue.features.drafts.service import plan_draft
from xiangyue.testing.fixtures import County

CODE = str(VILLAGE // 1000)
TOWN = CODE[:9]
NEW = "/grid-drafts/new"


def planned(drawn: County) -> tuple[int, list[tuple[int, list[int]]]]:
    """A new draft: its id, and its parts with their households."""
    with drawn.uow() as uow:
        draft = plan_draft(uow, village=VILLAGE)
        parts = live_draft(uow, draft).parts
        return draft.id, [(part.id, [row.id for row in part.homes]) for part in parts]


def state(drawn: County, id: int) -> tuple[str, int]:
    with drawn.uow() as uow:
        draft = uow.get(GridDraft, id)
        return draft.state, draft.version


def test_from_the_form_to_force(drawn: County) -> None:
    village = drawn.client("village", area=VILLAGE, locale="en")
    refused = post(village, NEW, "/grid-drafts", area="", joining="none", origin="planner")
    assert refused.status_code == 422
    made = post(village, NEW, "/grid-drafts", area=CODE, joining="none", origin="planner", name="甲案")
    url = made.headers["Location"]
    id = int(url.rsplit("/", 1)[1])
    shown = text(village, url)
    assert "甲案" in shown
    assert "3–5 households" in shown
    parts = re.findall(r'data-part="(\d+)"', shown)
    assert len(parts) == 4
    house = re.findall(r'name="household" value="(\d+)"', shown)[0]
    moved = post(village, url, f"{url}/move", version="1", household=house, part=parts[1])
    assert moved.status_code == 303
    # Whoever looked at version 1 is told what was done, and the choice stays.
    late = post(village, url, f"{url}/move", version="1", household=house, part=parts[2])
    assert late.status_code == 409
    page = late.get_data(as_text=True)
    assert "Two were drawing at once" in page
    assert "1组-2" in page
    assert re.search(rf'value="{house}" checked', page)
    assert post(village, url, f"{url}/submit", version="2").status_code == 303
    assert (
        village.post(f"{url}/approve", data={"csrf_token": hidden(text(village, url), "csrf_token")}).status_code == 403
    )
    town = drawn.client("town", area=VILLAGE - VILLAGE % 10**6, locale="en")
    assert "1 draft of grids waits for approval" in text(town, "/")
    assert "Return with this reason" in text(town, url)
    assert post(town, url, f"{url}/return", version="3", reason="").status_code == 422
    assert post(town, url, f"{url}/approve", version="3").status_code == 303
    wrong = post(town, url, f"{url}/force", version="4", on="x", reason="年度调整")
    assert wrong.status_code == 422
    assert "年度调整" in wrong.get_data(as_text=True)
    assert post(town, url, f"{url}/force", version="4", on="2026-03-01", reason="年度调整").status_code == 303
    assert state(drawn, id)[0] == "in_force"
    ready = text(town, url)
    assert "from 2026-03-01 on" in ready
    assert "1组-2" in text(town, f"/grids?area={CODE}&on=2026-03-01")
    change = re.search(r"/grids/changes/\d+", ready)
    assert change is not None
    assert "年度调整" in text(town, change[0])


def test_side_by_side_list_and_export(drawn: County) -> None:
    one, two = planned(drawn)[0], planned(drawn)[0]
    client = drawn.client("county_admin", locale="en")
    assert "Two drafts" in text(client, f"/grid-drafts/{one}/compare?with={two}")
    listed = text(client, "/grid-drafts?area=all")
    assert f"/grid-drafts/{one}" in listed
    assert f"/grid-drafts/{one}" not in text(client, "/grid-drafts?area=all&state=discarded")
    copied = post(client, f"/grid-drafts/{one}", f"/grid-drafts/{one}/copy", name="乙案")
    assert "乙案" in text(client, copied.headers["Location"])
    away = "/grid-drafts/export?area=all"
    file = post(client, away, away, purpose="上会", format="csv")
    assert (file.status_code, "1组" in file.get_data(as_text=True)) == (200, False)
    assert "东南村" in file.get_data(as_text=True)
    part = f"/grid-drafts/{one}/parts/{planned_parts(drawn, one)[0]}"
    assert post(client, part, part, version="1", name="").status_code == 422
    assert post(client, part, part, version="1", name="河边", leader="王甲", fixed="1").status_code == 303
    assert "河边" in text(client, f"/grid-drafts/{one}")


def test_a_discarded_draft_is_removed_for_good(drawn: County) -> None:
    one, client = planned(drawn)[0], drawn.client("county_admin")
    url = f"/grid-drafts/{one}"
    assert f"{url}/remove" not in text(client, url)
    assert post(client, url, f"{url}/remove", version="1").status_code == 409
    assert post(client, url, f"{url}/discard", version="1").status_code == 303
    assert f"{url}/remove" in text(client, url)
    assert post(client, url, f"{url}/remove", version="2").status_code == 303
    assert client.get(url).status_code == 404
    two = planned(drawn)[0]
    headers = drawn.bearer(drawn.account("county_admin"))
    path, api = f"/api/v1/grid-drafts/{two}", drawn.client()
    tag = {**headers, "If-Match": api.get(path, headers=headers).headers["ETag"]}
    assert api.delete(path, headers=tag).status_code == 409
    gone = api.post(f"{path}/discard", headers=tag)
    assert gone.status_code == 200, gone.text
    tag["If-Match"] = gone.headers["ETag"]
    assert api.delete(path, headers=tag).status_code == 204
    assert api.get(path, headers=headers).status_code == 404


def planned_parts(drawn: County, id: int) -> list[int]:
    with drawn.uow() as uow:
        return [part.id for part in live_draft(uow, uow.get(GridDraft, id)).parts]


def test_a_town_is_planned_in_the_background(drawn: County) -> None:
    client = drawn.client("town", area=VILLAGE - VILLAGE % 10**6, locale="en")
    queued = post(client, NEW, "/grid-drafts", area=TOWN, joining="whole", origin="planner", name="全镇")
    assert "/jobs/" in queued.headers["Location"]
    assert drawn.run_jobs() == ["drafts.plan_area"]
    listed = text(client, f"/grid-drafts?area={TOWN}")
    assert listed.count("全镇") == 1


def test_api(drawn: County) -> None:
    client, headers = drawn.client(), drawn.bearer(drawn.account("county_admin"))
    base = "/api/v1/grid-drafts"
    made = client.post(base, headers=headers, json={"area": CODE, "name": "丙案"})
    assert made.status_code == 201, made.json
    url, body = f"{base}/{made.json['id']}", made.json
    assert (body["stale"], body["grids"], body["unmet"], body["parts"][0]["level"]) == (False, 4, [], 3)
    house, target = body["parts"][0]["household_ids"][0], body["parts"][1]["id"]
    match = {**headers, "If-Match": made.headers["ETag"]}
    step: dict[str, Any] = {"household_ids": [house], "part_id": target}
    moved = client.post(f"{url}/move", headers=match, json=step)
    assert (moved.status_code, moved.json["parts"][1]["households"]) == (200, 5)
    assert client.post(f"{url}/move", headers=match, json=step).status_code == 412
    assert client.post(f"{url}/move", headers=headers, json=step).status_code == 428
    done = client.post(f"{url}/submit", headers={**headers, "If-Match": moved.headers["ETag"]})
    assert done.json["state"] == "submitted"
    back = client.post(f"{url}/take-back", headers={**headers, "If-Match": done.headers["ETag"]})
    assert back.json["state"] == "draft"
    items = client.get(f"{base}?sort=-changed", headers=headers).json["items"]
    assert items[0]["id"] == body["id"]
    assert client.post(f"{base}/plan", headers=headers, json={"area": TOWN}).status_code == 202
