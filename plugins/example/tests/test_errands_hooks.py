"""What each hook of Xiangyue does through this plugin; a gate looks for a test of the name of every hook."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from errands_kit import Home, home, roster
from sqlalchemy import select, update

from xiangyue.sdk.db import encode_cursor
from xiangyue.sdk.errors import Refused
from xiangyue.sdk.i18n import today
from xiangyue.sdk.register import Household, Person
from xiangyue.sdk.testing import Kit, follow_rows, switch, unfollow_rows
from xiangyue_errands import plugin, policy, queries, service, words
from xiangyue_errands.commands import errands as command
from xiangyue_errands.models import Errand, Station

__all__ = ["home"]

KEY = policy.CLASSIFIER


def classified(home: Home) -> dict[str, Any]:
    """The household's classification after the county was computed."""
    assert home.call("POST", "/classifications/compute", {"classifier": KEY}).status_code < 300
    items: list[dict[str, Any]] = home.call("GET", f"/classifications?classifier={KEY}&limit=200").json["items"]
    return next(item for item in items if item["household_id"] == home.id)


def test_register_permissions(home: Home) -> None:
    assert "See errands" in home.page("/roles/new")


def test_register_role_templates(kit: Kit) -> None:
    with kit.on.uow() as uow:
        assert uow.tenant_id
    village = kit.on.client("village", area=kit.village(kit.on, 4))
    assert village.get("/p/errands/").status_code == 200
    assert kit.on.client(None).get("/p/errands/").status_code == 303


def test_register_audit_actions(home: Home) -> None:
    home.errand()
    assert "Errand taken on" in home.page("/audit")


def test_register_pages(home: Home) -> None:
    title = f"Card of {home.head}"
    form = home.page(f"/p/errands/new/{home.id}")
    token = form.split('name="csrf_token" value="')[1].split('"')[0]
    empty = home.client.post(f"/p/errands/new/{home.id}", data={"csrf_token": token, "kind": "payment", "title": " "})
    assert (empty.status_code, "Say what is to be done" in empty.text) == (422, True)
    fields = {"csrf_token": token, "kind": "payment", "title": title, "due_on": ""}
    sent = home.client.post(f"/p/errands/new/{home.id}", data=fields)
    assert sent.status_code == 303
    assert title in home.page(sent.headers["Location"])
    assert title in home.page("/p/errands/?state=open")
    assert home.errands()[-1].due_on == today() + timedelta(days=7)


def test_register_api(home: Home) -> None:
    client_id = f"00000000-0000-4000-8000-{home.id:012}"
    body = {"household_id": home.id, "kind": "medical", "title": "Claim", "client_id": client_id}
    made = home.call("POST", "/p/errands/", body)
    assert (made.status_code, made.json["state"]) == (201, "open")
    assert home.call("POST", "/p/errands/", body).json["id"] == made.json["id"]
    done = home.call("POST", f"/p/errands/{made.json['id']}/finish", version=made.json["version"])
    assert done.json["state"] == "done"
    assert home.call("GET", f"/p/errands/?household={home.id}").json["items"] == []
    again = home.call("POST", f"/p/errands/{made.json['id']}/finish", version=done.json["version"])
    assert again.status_code == 409


def test_register_navigation(home: Home) -> None:
    home.errand(days=-1)
    assert "/p/errands/" in home.page("/")


def test_register_household_panels(home: Home) -> None:
    home.errand("Panel errand")
    assert "Panel errand" in home.page(f"/households/{home.id}")


def test_register_person_panels(home: Home) -> None:
    person = home.call("GET", f"/households/{home.id}").json["persons"][0]["id"]
    assert "panel-errands_person" not in home.page(f"/persons/{person}"), "nothing is open"
    home.errand("Panel errand")
    assert "Panel errand" in home.page(f"/persons/{person}")


def test_register_household_filters(home: Home) -> None:
    def found(value: str) -> bool:
        items = home.call("GET", f"/households?errands_state={value}&limit=200").json["items"]
        return home.id in {item["id"] for item in items}

    assert not found("open")
    home.errand()
    assert (found("open"), found("late")) == (True, False)
    home.errand(days=-1)
    assert found("late")


def test_register_household_columns(home: Home) -> None:
    home.errand()
    home.errand()
    items = home.call("GET", "/households?fields=id,errands_open&limit=200").json["items"]
    assert {item["id"]: item["errands_open"] for item in items}[home.id] == "2 件未办结"


def test_register_dashboard_cards(home: Home) -> None:
    html = home.page("/cockpit?area=all")
    assert "Villages with a station" in html


def test_register_work(home: Home) -> None:
    home.errand("Most urgent of all", days=-999)
    assert "Most urgent of all" in home.page("/")


def test_register_search_kinds(home: Home) -> None:
    home.errand("Needle in the hay")
    assert "Needle in the hay" in home.client.post(
        "/search", data={"q": "Needle", "csrf_token": _token(home)}, follow_redirects=True
    ).get_data(as_text=True)


def test_register_follows(home: Home) -> None:
    other = home.kit.lay("follows", home.county, rows=1, village=4).households[0]
    kept, done = home.errand("To be kept"), home.errand("Done")
    with home.county.uow() as uow:
        service.finish_errand(uow, id=done, version=1)
    with home.county.uow() as uow:
        moved = follow_rows(uow, of="household", old=home.id, new=other, only_open=True)
        assert moved["errands_errand"] == [kept]
    assert [errand.id for errand in home.errands()] == [done]
    with home.county.uow() as uow:
        assert unfollow_rows(uow, of="household", old=home.id, new=other, moved=moved) == {}
    assert [errand.id for errand in home.errands()] == [kept, done]


def _token(home: Home) -> str:
    return home.page("/").split('name="csrf_token" value="')[1].split('"')[0]


def upload(home: Home, wish: str) -> dict[str, Any]:
    sent = home.call("POST", "/imports", data=roster(home.id, wish), content_type="multipart/form-data")
    assert sent.status_code < 300, sent.json
    found: dict[str, Any] = home.call("GET", f"/imports/{sent.json['id']}").json
    return found


def test_register_import_columns(home: Home) -> None:
    batch = upload(home, "代领社保卡")
    done = home.call("POST", f"/imports/{batch['id']}/commit", {})
    assert done.status_code < 300, done.json
    with home.county.uow() as uow:
        errand = uow.session.scalars(select(Errand).where(Errand.title == "代领社保卡")).one()
        assert uow.get(Household, errand.household_id).head_name == "王富"


def test_register_imports(home: Home) -> None:
    kinds = {kind["key"]: kind for kind in home.call("GET", "/imports/kinds").json["items"]}
    columns = {column["key"]: column for column in kinds["errands_station"]["columns"]}
    assert [key for key, column in columns.items() if column["required"]] == ["town", "village", "title"]


def test_register_jobs(home: Home) -> None:
    home.errand("Forgotten", days=-40)
    with home.county.uow() as uow:
        from xiangyue.sdk.jobs import enqueue_job

        enqueue_job(uow, kind=policy.RECHECK_KIND, params={})
    home.county.run_jobs()
    assert home.errands()[-1].ask_again


def test_register_schedules(kit: Kit) -> None:
    daily = next(item for item in kit.offered("schedules"))
    assert (daily.job_kind, daily.every_seconds) == (policy.RECHECK_KIND, 86_400)


def test_register_commands(home: Home) -> None:
    from contextlib import nullcontext

    home.errand(days=-1)
    runtime = home.county.runtime
    said = CliRunner().invoke(command, ["--tenant", "hanyin"], obj=lambda: nullcontext(runtime))
    assert said.exit_code == 0, said.output
    assert said.output.startswith("hanyin: ")
    assert CliRunner().invoke(command, ["--tenant", "nowhere"], obj=lambda: nullcontext(runtime)).exit_code == 1


def test_register_classifiers(home: Home) -> None:
    assert classified(home)["proposed"]["outcome"] == "none"
    for number in range(3):
        home.errand(f"Errand {number}")
    assert classified(home)["proposed"]["outcome"] == "often"


def test_register_profile_sections(kit: Kit) -> None:
    """The section runs where the plugin is on; switching it on does the same."""
    with kit.on.uow() as uow:
        stations = len(list(uow.session.scalars(select(Station))))
        uow.session.delete(uow.session.scalars(select(Station).order_by(Station.id)).first())
    section = kit.offered("profile_sections")[0]
    with kit.on.uow() as uow:
        changes = section.apply(uow, None, kit.on.runtime.registry)
        assert [change.verb for change in changes] == ["add"]
        assert section.apply(uow, None, kit.on.runtime.registry) == []
        assert len(list(uow.session.scalars(select(Station)))) == stations > 100


def test_household_change_requested(home: Home) -> None:
    errand = home.errand()
    body = {"on": today().isoformat(), "reason": "moved"}
    refused = home.call("POST", f"/households/{home.id}/close", body)
    assert (refused.status_code, refused.json["plugin"]) == (409, "errands")
    assert home.call("POST", f"/p/errands/{errand}/finish", version=1).status_code == 200
    assert home.call("POST", f"/households/{home.id}/close", body).status_code == 200


def test_import_commit_requested(home: Home) -> None:
    batch = upload(home, "代办")
    assert home.call("PATCH", "/plugins/errands", {"settings": {"imports_closed": True}}).json
    refused = home.call("POST", f"/imports/{batch['id']}/commit", {})
    assert (refused.status_code, refused.json["plugin"]) == (409, "errands")
    home.call("PATCH", "/plugins/errands", {"settings": {"imports_closed": False}})


def decide(home: Home, outcome: str) -> Any:
    row = classified(home)
    body = {"step": "village", "outcome": outcome, "note": "Agreed with the household."}
    return home.call("POST", f"/classifications/{row['id']}/decide", body)


def test_classification_decision_requested(home: Home) -> None:
    home.errand(days=-1)
    refused = decide(home, "seldom")
    assert (refused.status_code, refused.json["plugin"]) == (409, "errands"), refused.json


def test_household_change_happened(home: Home) -> None:
    home.errand()
    target = home.kit.village(home.county, 5)
    moved = home.call("PATCH", f"/households/{home.id}", {"area_code": str(target)})
    assert moved.status_code == 200, moved.json
    assert [errand.area_code for errand in home.errands()] == [target]


def test_person_change_happened(home: Home) -> None:
    home.errand()
    body = {"relation": "12", "name": "Second", "sex": 2}
    person = home.call("POST", f"/households/{home.id}/persons", body)
    assert person.status_code == 201, person.json
    assert not home.errands()[0].ask_again
    left = {"state": "moved", "on": today().isoformat(), "reason": "work"}
    gone = home.call("POST", f"/persons/{person.json['id']}/left", left)
    assert gone.status_code == 200, gone.json
    assert home.errands()[0].ask_again


def merged(home: Home, kind: str, keep: int, other: int) -> None:
    """Two records become one, by the core's API."""
    pair = home.call("POST", "/duplicates", {"kind": kind, "one_id": keep, "other_id": other})
    side = "first" if keep < other else "second"
    done = home.call("POST", f"/duplicates/{pair.json['id']}/merge", {"keep": side}, version=pair.json["version"])
    assert done.status_code == 200, done.json


def test_person_merge_happened(home: Home) -> None:
    home.errand()
    bodies = [{"relation": "12", "name": name} for name in ("Twice", "Twicee")]
    ids = [home.call("POST", f"/households/{home.id}/persons", body).json["id"] for body in bodies]
    merged(home, "person", *ids)
    assert home.errands()[0].ask_again


def test_household_merge_happened(home: Home) -> None:
    other = home.kit.lay("merged", home.county, rows=1, village=4).households[0]
    home.errand()
    merged(home, "household", home.id, other)
    assert len(home.errands()) > 1
    assert all(errand.ask_again for errand in home.errands())


def test_post_change_happened(home: Home) -> None:
    home.errand()
    person = home.call("POST", f"/households/{home.id}/persons", {"relation": "12", "name": "Chosen"}).json["id"]
    kind = {"kind": "wedding_funeral_council", "area": str(home.kit.village(home.county, 4)), "name": "Council"}
    council = home.call("POST", "/organisations", kind)
    assert council.status_code == 201, council.json
    post = next(post for post in council.json["posts"] if post["lead"])
    body = {"person_id": person, "valid_from": today().isoformat(), "way": "appointed"}
    assert home.call("POST", f"/organisations/posts/{post['id']}/holders", body).status_code == 201
    assert home.errands()[0].ask_again


def test_import_commit_happened(home: Home) -> None:
    batch = upload(home, "代缴水费")
    assert home.call("POST", f"/imports/{batch['id']}/commit", {}).status_code < 300
    with home.county.uow() as uow:
        errand = uow.session.scalars(select(Errand).where(Errand.title == "代缴水费")).one()
        id, area = errand.household_id, errand.area_code
        uow.session.execute(update(Errand).where(Errand.household_id == id).values(area_code=area + 999_000))
    again = upload(home, "代缴水费")
    assert home.call("POST", f"/imports/{again['id']}/commit", {}).status_code < 300
    with home.county.uow() as uow:
        assert uow.session.scalars(select(Errand.area_code).where(Errand.title == "代缴水费")).one() == area


def test_classification_decision_happened(home: Home) -> None:
    for number in range(3):
        home.errand(f"Errand {number}")
    assert decide(home, "often").status_code == 200
    assert [errand.kind for errand in home.errands()] == ["other", "other", "other", "visit"]


def test_grid_leader_requested(home: Home) -> None:
    home.errand(days=-3)
    with home.county.uow() as uow:
        person = uow.session.scalars(select(Person.id).where(Person.household_id == home.id).limit(1)).one()
        plugin.grid_leader_requested(uow, person_id=person, role="worker")
        with pytest.raises(Refused):
            plugin.grid_leader_requested(uow, person_id=person, role="leader")
    with home.county.uow() as uow:
        uow.session.execute(update(Errand).values(due_on=today() + timedelta(9)))
        (warning,) = plugin.grid_leader_requested(uow, person_id=person, role="leader") or []
        assert warning.source == words.RULE


def test_grid_leader_happened(home: Home) -> None:
    home.errand()
    village = str(home.errands()[0].area_code)[:12]
    before = (today() - timedelta(days=9)).isoformat()
    grid = {"area_code": village, "name": "X", "level": 1, "on": before, "household_ids": [home.id]}
    made = home.call("POST", "/grids", grid).get_json()["made"][0]
    leader = {"role": "leader", "name": "Wang", "valid_from": before}
    post = home.call("POST", f"/grids/{made}/posts", leader).get_json()["id"]
    assert [errand.ask_again for errand in home.errands()] == [False]
    home.call("POST", f"/grids/posts/{post}/end", {"on": today().isoformat(), "reason": "moved"})
    assert [errand.ask_again for errand in home.errands()] == [True]


def test_household_group_happened(home: Home) -> None:
    home.errand()
    village, before = str(home.errands()[0].area_code)[:12], (today() - timedelta(days=9)).isoformat()
    grid = {"area_code": village, "name": "Y", "level": 1, "on": before, "household_ids": [home.id]}
    made = home.call("POST", "/grids", grid).get_json()["made"][0]
    group = {"grid_id": made, "on": before, "size_reason": "hills",
             "parts": [{"name": "G", "household_ids": [home.id]}]}  # fmt: skip
    second = home.call("POST", "/ten-household-groups", group).get_json()["groups"][0]
    assert [errand.ask_again for errand in home.errands()] == [False]
    for action, asked in (("household_group.rename", False), ("household_group.end_head", True)):
        with home.county.uow() as uow:
            plugin.household_group_happened(uow, group_id=second, action=action)
        assert [errand.ask_again for errand in home.errands()] == [asked]


def test_callout_happened(home: Home) -> None:
    home.errand()
    with home.county.uow() as uow:
        persons = list(uow.session.scalars(select(Person.id).where(Person.household_id == home.id)))
    for action, drill, asked in (("callout.end", False, False), ("callout.send", True, False),
                                 ("callout.send", False, True)):  # fmt: skip
        with home.county.uow() as uow:
            plugin.callout_happened(uow, action=action, drill=drill, person_ids=persons)
        assert [errand.ask_again for errand in home.errands()] == [asked]


def test_grid_change_happened(home: Home) -> None:
    home.errand()
    village = home.errands()[0].area_code // 1000 * 1000
    for area, action, asked in ((village, "grid.rename", False), (village + 1000, "grid.plan", False),
                                (village, "grid.plan", True)):  # fmt: skip
        with home.county.uow() as uow:
            plugin.grid_change_happened(uow, area_code=area, action=action)
        assert [errand.ask_again for errand in home.errands()] == [asked]


def test_plugin_switch_happened(home: Home) -> None:
    home.errand()
    right = home.errands()[0].area_code
    switch(home.county, "errands", False)
    with home.county.uow() as uow:
        uow.session.execute(update(Errand).where(Errand.household_id == home.id).values(area_code=right + 1_000))
    switch(home.county, "errands", True)
    home.county.run_jobs()
    assert [errand.area_code for errand in home.errands()] == [right]


def test_a_closed_town_takes_on_no_errands(home: Home, kit: Kit) -> None:
    """Towns are chosen by name in the settings; the page and the API refuse an errand there, with the reason."""
    with kit.on.uow() as uow:
        code = queries.find_errand(uow, home.errand()).errand.area_code
        town = next(key for key, _name in queries.towns(uow) if key // 1_000_000 == code // 1_000_000)
    read = home.call("GET", "/plugins/errands")
    assert town in [one["const"] for one in described(read)["oneOf"]]
    closed = home.call("PATCH", "/plugins/errands", {"settings": {"closed_towns": [town]}})
    assert closed.status_code == 200
    body = {"household_id": home.id, "kind": "payment", "title": "Fetch it"}
    assert home.call("POST", "/p/errands/", body).status_code == 422
    assert home.call("PATCH", "/plugins/errands", {"settings": {"closed_towns": []}}).status_code == 200
    assert home.call("POST", "/p/errands/", body).status_code == 201


def described(answer: Any) -> Any:
    return answer.json["settings_schema"]["properties"]["closed_towns"]["items"]


def test_a_page_marker_with_a_wrong_day_is_refused(home: Home) -> None:
    for values in (("2026-02-30", 1), ("soon", 1), (1, 1), ("2026-02-28", "x"), ("2026-02-28", 2**63)):
        marker = encode_cursor(*values)
        refused = home.call("GET", f"/p/errands/?cursor={marker}")
        assert (values, refused.status_code) == (values, 422), refused.json
        assert [e["path"] for e in refused.json["errors"]] == ["cursor"]
        assert home.client.get(f"/p/errands/?after={marker}").status_code == 422
    for title in ("First", "Second"):
        home.errand(title)
    listed = home.call("GET", f"/p/errands/?household={home.id}&limit=1").json
    following = home.call("GET", f"/p/errands/?household={home.id}&limit=1&cursor={listed['next']}").json
    assert [page["items"][0]["title"] for page in (listed, following)] == ["First", "Second"]


def test_area_change_happened(home: Home) -> None:
    town = home.kit.village(home.county, 1) // 10**6 * 10**6
    code = str((town + 399_000) // 1000)
    body = {"kind": "create", "on": today().isoformat(), "parent": str(town // 1000), "code": code, "name": "New"}
    change = home.call("POST", "/areas/changes", body)
    assert change.json["dry_run"]["possible"], change.json
    assert home.call("POST", f"/areas/changes/{change.json['id']}/force", version=1).status_code == 202
    home.county.run_jobs()
    with home.county.uow() as uow:
        assert uow.session.scalars(select(Station.name).where(Station.area_code == town + 399_000)).one() == "New"
    # Errands go where their household goes, by themselves.
    home.errand()
    with home.county.uow() as uow:
        was = uow.get(Household, home.id).area_code
    village = str(was // 1000)
    body = {"kind": "merge", "on": today().isoformat(), "areas": [village], "into": code}
    merge = home.call("POST", "/areas/changes", body)
    assert home.call("POST", f"/areas/changes/{merge.json['id']}/force").status_code == 202
    assert {errand.area_code // 1000 for errand in home.errands()} == {int(code)}
    assert home.call("POST", f"/areas/changes/{merge.json['id']}/undo", {"reason": "a mistake"}).status_code == 202
    assert {errand.area_code for errand in home.errands()} == {was}
