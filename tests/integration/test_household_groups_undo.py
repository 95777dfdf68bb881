"""What followed from grids within a change of groups goes back with that change; what is typed wrong is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from grids_kit import TOWN, VILLAGE, families, homes, made_by
from groups_kit import empty_groups, head_of, lay_out
from households_kit import hidden, text
from sqlalchemy import event

from xiangyue.errors import Invalid
from xiangyue.features.grids import service as grids
from xiangyue.features.grids.keeping import keep_households
from xiangyue.features.grids.models import Grid
from xiangyue.features.grids.standing import division_on
from xiangyue.features.household_groups import queries, service, service_heads
from xiangyue.features.household_groups.models import HouseholdGroup
from xiangyue.features.households.bulk import upsert_households
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_register import do_act
from xiangyue.testing.fixtures import County


@pytest.fixture(name="county")
def county_with_groups(hanyin: County) -> Iterator[County]:
    lay_out(hanyin)
    yield hanyin
    empty_groups(hanyin)


def test_a_group_made_before_a_change_of_grids_ahead_can_be_undone(county: County) -> None:
    ahead = today() + timedelta(30)
    with county.uow() as uow:
        found = queries.list_groups(uow, queries.GroupFilter(on=today())).items
        for one in found:
            service.close_group(uow, group_id=one["id"], version=uow.get(HouseholdGroup, one["id"]).version,
                                on=today(), reason="x")  # fmt: skip
        grid = found[0]["grid_id"]
        everyone = homes(uow, 1)
        split = grids.split_grid(uow, grid_id=grid, version=uow.get(Grid, grid).version, on=ahead, size_reason="x",
                                 parts=[{"name": "后山", "household_ids": everyone[:8]}])  # fmt: skip
        new = made_by(split)
        made = service.create_groups(uow, grid_id=grid, on=today(), size_reason="x",
                                     parts=[{"name": "合组", "household_ids": everyone[:10]}])  # fmt: skip
        group = made.rows["groups"][0]
        assert queries.find_group(uow, group, ahead)["grid_id"] == new  # type: ignore[index]
        assert len(queries.households_in(uow, group, ahead)) == 8
        service.undo_change(uow, change_id=made.id, version=made.version, reason="编错了")
        assert not queries.households_in(uow, group, ahead)
        assert not queries.find_group(uow, group, today())["standing"]  # type: ignore[index]
        assert not queries.find_group(uow, group, ahead)["standing"]  # type: ignore[index]


def test_a_mistyped_year_does_not_settle_who_is_the_head(county: County) -> None:
    with county.uow() as uow:
        group = queries.list_groups(uow, queries.GroupFilter(on=today())).items[0]["id"]
        head = head_of(uow, group)
        for day in (date(2206, 5, 1), date(206, 5, 1)):
            with pytest.raises(Invalid) as wrong:
                service_heads.name_head(uow, group_id=group, person_id=head.person_id, valid_from=day)
            assert set(wrong.value.fields) == {"valid_from"}


@pytest.mark.parametrize("number", ["²", "9" * 5000])
def test_numbers_that_are_none_are_refused_like_others(county: County, number: str) -> None:
    with county.uow() as uow:
        found = queries.list_groups(uow, queries.GroupFilter(on=today())).items[0]
    admin = county.client(county.account("county_admin"))
    url = "/ten-household-groups/size"
    form = {"csrf_token": hidden(text(admin, url), "csrf_token"), "min_households": number, "max_households": "12"}
    assert admin.post(url, data=form).status_code == 422
    town = county.client(county.account("town", area=TOWN))
    assert town.get(f"/ten-household-groups/new?grid={number}").status_code == 404
    url = f"/ten-household-groups/{found['id']}/rename"
    form = {"csrf_token": hidden(text(town, url), "csrf_token"), "on": today().isoformat(), "name": "x"}
    assert town.post(url, data={**form, "version": number}).status_code == 409
    admin_form = {"csrf_token": hidden(text(admin, "/calls/rules"), "csrf_token"), "escalate_minutes": number,
                  "keep_days": "365", "drill_keep_days": "90", f"h{number}": number, "pair": number}  # fmt: skip
    for url, answer in (("/calls/rules", 422), ("/areas/changes/1/households", 404), ("/duplicates/different", 303)):
        assert admin.post(url, data=admin_form).status_code == answer, url
    for url in ("/audit?object_id=", "/classifications?household=", "/organisations/new?area="):
        assert admin.get(url + number).status_code < 500, url
    with county.uow() as uow, pytest.raises(Invalid):
        do_act(uow, keys=county.runtime.tenant_keys(uow), kind="close", on=today(), request={"household_id": number})
    url = f"/ten-household-groups/suggest?grid={found['grid_id']}"
    assert town.post(url, data={**form, f"at{number}": "0", "at1": number}).status_code == 422


def test_who_only_gets_neighbours_is_left_alone(county: County) -> None:
    """A roster brings households into every grid: groups in which nothing changes cost it nothing."""
    with county.uow() as uow:
        found = queries.list_groups(uow, queries.GroupFilter(on=today())).items
        before = {one["id"]: one["version"] for one in found}
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            seen.extend([statement] if "household_group_version" in statement else [])

        event.listen(uow.session.connection(), "before_cursor_execute", note)
        upsert_households(uow, county.runtime.tenant_keys(uow), families(1, 30, 2))
        uow.session.flush()
        new = homes(uow, 1)[-2:]
        keep_households(uow, new, today())
        assert len(division_on(uow, VILLAGE, today()).households(found[0]["grid_id"])) == 14
        assert len(seen) <= 2
        now = queries.list_groups(uow, queries.GroupFilter(on=today())).items
        assert {one["id"]: one["version"] for one in now} == before
