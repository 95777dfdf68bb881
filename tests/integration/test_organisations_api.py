"""The API of organisations: a whole story, versions, what others may not."""

from __future__ import annotations

from typing import Any

import pytest
from households_kit import OTHER_TOWN, VILLAGE
from organisations_kit import cleared, county, organisation, person
from sqlalchemy import select

from xiangyue.features.organisations.models import PostHolder
from xiangyue.testing.fixtures import County

__all__ = ["cleared", "county"]


@pytest.fixture(scope="module")
def call(county: County) -> Any:
    return caller(county, county.account("county_admin"))


def caller(county: County, account: Any) -> Any:
    bare, headers = county.client(None), county.bearer(account)

    def send(method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        match = {} if version is None else {"If-Match": f'"{version}"'}
        given = {} if body is None else {"json": body}
        return bare.open(f"/api/v1/organisations{path}", method=method, headers={**headers, **match}, **given)

    return send


def test_from_the_founding_to_the_next_term(county: County, call: Any) -> None:
    kinds = call("GET", "/kinds").json["items"]
    assert {"village_committee", "supervision_committee", "people_mediation"} <= {kind["key"] for kind in kinds}
    body = {"kind": "village_committee", "area": str(VILLAGE // 1000), "name": "村委会", "term_from": "2020-03-01"}
    made = call("POST", "", body)
    assert made.status_code == 201, made.json
    id, head = made.json["id"], made.json["posts"][0]
    assert (made.json["term_until"], head["missing"]) == ("2025-03-01", 1)
    taken = {
        "person_id": person(county, "王建国"),
        "valid_from": "2020-03-01",
        "way": "elected",
        "decided_on": "2020-02-20",
    }
    holder = call("POST", f"/posts/{head['id']}/holders", taken)
    assert holder.status_code == 201, holder.json
    assert holder.json["name"] == "王建国"
    again = call("POST", f"/posts/{head['id']}/holders", taken)
    assert again.status_code == 422
    assert [error["path"] for error in again.json["errors"]] == ["valid_from"]
    assert call("PATCH", f"/holders/{holder.json['id']}", {"votes": 5}).status_code == 428
    assert call("PATCH", f"/holders/{holder.json['id']}", {"votes": 5}, 7).status_code == 412
    assert call("PATCH", f"/holders/{holder.json['id']}", {"votes": 5}, 1).json["votes"] == 5
    term = {
        "term_from": "2025-03-01", "way": "elected", "decided_on": "2025-02-20",
        "lines": [{"post_id": head["id"], "person_id": person(county, "赵永红"), "votes": 9}],
    }  # fmt: skip
    elected = call("POST", f"/{id}/elections", term, 1)
    assert elected.status_code == 201, elected.json
    names = [h["name"] for h in call("GET", f"/{id}").json["posts"][0]["holders"]]
    assert names == ["赵永红"]
    before = call("GET", f"/{id}?on=2025-02-28").json["posts"][0]["holders"]
    assert [(h["name"], h["end_reason"]) for h in before] == [("王建国", "new_term")]
    mine = call("GET", f"/persons/{person(county, '王建国')}").json["items"]
    assert [(one["post"], one["valid_to"]) for one in mine] == [("主任", "2025-03-01")]
    undone = call("POST", f"/elections/{elected.json['id']}/undo", version=1)
    assert undone.json["state"] == "undone"
    assert call("GET", f"/{id}/elections").json["items"][0]["state"] == "undone"
    ended = call("POST", f"/holders/{holder.json['id']}/end", {"on": "2025-04-01", "reason": "resigned"}, 4)
    assert (ended.status_code, ended.json["valid_to"]) == (200, "2025-04-01"), ended.json
    assert call("POST", f"/holders/{holder.json['id']}/remove", {"reason": "误录"}, 5).status_code == 204
    card = call("POST", f"/{id}/card", {"open": True}, call("GET", f"/{id}").json["version"])
    assert card.json["card"] is True
    gone = call("POST", f"/{id}/dissolve", {"on": "2026-01-01", "reason": "撤并"}, card.json["version"])
    assert gone.json["dissolved_on"] == "2026-01-01"
    assert call("GET", "").json["items"] == []
    assert [o["id"] for o in call("GET", "?dissolved=true").json["items"]] == [id]
    assert call("POST", f"/{id}/reopen", version=gone.json["version"]).json["dissolved_on"] is None


def test_posts_and_lists(county: County, call: Any) -> None:
    made = organisation(county)
    organisation(county, "supervision_committee")
    added = call("POST", f"/{made.id}/posts", {"name": "文书", "seats_max": 1})
    own = added.json["posts"][-1]
    assert (added.status_code, own["name"], own["seats_max"]) == (201, "文书", 1)
    assert call("PATCH", f"/posts/{own['id']}", {"seats_max": None}, 1).json["posts"][-1]["seats_max"] is None
    closed = call("POST", f"/posts/{own['id']}/close", version=2)
    assert "文书" not in {post["name"] for post in closed.json["posts"]}
    first = call("GET", "?limit=1&sort=name&fields=id,name")
    assert set(first.json["items"][0]) == {"id", "name"}
    rest = call("GET", f"?limit=1&sort=name&cursor={first.json['next']}")
    assert (len(rest.json["items"]), rest.json["next"]) == (1, None)
    assert call("GET", "?sort=colour").status_code == 422
    assert len(call("GET", f"?kind=village_committee&area={VILLAGE // 1000}").json["items"]) == 1


def test_others_do_not_reach_it(county: County, call: Any) -> None:
    made = organisation(county)
    post = call("GET", f"/{made.id}").json["posts"][0]["id"]
    body = {"outsider_name": "郑下派", "valid_from": "2024-01-01", "way": "appointed"}
    holder = call("POST", f"/posts/{post}/holders", body).json["id"]
    elsewhere = caller(county, county.account("town", area=OTHER_TOWN))
    assert elsewhere("GET", f"/{made.id}").status_code == 404
    assert elsewhere("GET", f"/{made.id}/elections").status_code == 404
    assert elsewhere("POST", f"/posts/{post}/holders", body).status_code == 404
    assert elsewhere("PATCH", f"/holders/{holder}", {"votes": 1}, 1).status_code == 404
    assert elsewhere("PATCH", f"/{made.id}", {"name": "x"}, 1).status_code == 404
    reader = caller(county, county.account("auditor"))
    assert reader("GET", f"/{made.id}").json["posts"][0]["holders"][0]["name"] == "郑下派"
    assert reader("POST", f"/posts/{post}/holders", body).status_code == 403
    with county.uow() as uow:
        assert len(uow.session.scalars(select(PostHolder)).all()) == 1
