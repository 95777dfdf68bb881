"""Posts in grids and in ten-household groups go along with whose they are, and lose the name of whoever is erased."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from grids_kit import homes
from groups_kit import empty_groups, head_of, lay_out
from sqlalchemy import delete, select

from xiangyue.errors import Conflict
from xiangyue.features.grids import service_posts
from xiangyue.features.grids.models import GridChange, GridPost
from xiangyue.features.grids.posting import _plain
from xiangyue.features.household_groups.models import HouseholdGroupHead
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_persons import person_left
from xiangyue.features.privacy import service, service_erase
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.plugin.follows import follow_rows
from xiangyue.testing.fixtures import County


@pytest.fixture(name="led")
def led_by_one(hanyin: County) -> Iterator[int]:
    """Somebody leads the grid and, since today, a group."""
    grid, first, _second = lay_out(hanyin)
    with hanyin.uow() as uow:
        person = head_of(uow, first).person_id
        service_posts.appoint(uow, grid_id=grid, role="leader", principal=True, person_id=person,
                              valid_from=today() - timedelta(9))  # fmt: skip
    yield person
    with hanyin.uow() as uow:
        uow.session.execute(delete(PrivacyRequest))
        uow.session.execute(delete(GridPost))
    empty_groups(hanyin)


def test_who_turns_out_to_be_another_record_stays_in_charge(hanyin: County, led: int) -> None:
    with hanyin.uow() as uow:
        other = uow.session.scalars(select(Person.id).where(Person.household_id == homes(uow, 1)[7])).first()
        assert other is not None
        uow.get(Person, other).area_code += 1  # what is in charge lies where it lies, wherever one lives
        places = {
            row.area_code for model in (GridPost, HouseholdGroupHead) for row in uow.session.scalars(select(model))
        }
        assert set(follow_rows(uow, of="person", old=led, new=other)) >= {"grid_post", "household_group_head"}
        for model in (GridPost, HouseholdGroupHead):
            (row,) = uow.session.scalars(select(model))
            assert row.person_id == other
            assert row.area_code in places
        uow.rollback()


def test_an_erased_leader_has_no_name(hanyin: County, led: int) -> None:
    with hanyin.uow() as uow:
        person_left(uow, person_id=led, version=uow.get(Person, led).version, state="moved", on=today(), reason="x")
        values = {"kind": "erase", "asked": "都删掉", "channel": "counter", "identity": "card"}
        request = service.register_request(uow, person_id=led, values=values)
        service.take_up(uow, id=request.id, version=1)
        erase = {"id": request.id, "version": 2, "text": "已删除"}
    with hanyin.uow() as uow, pytest.raises(Conflict, match="网格任职"):
        service_erase.erase_person(uow, **erase, person_version=uow.get(Person, led).version)
    with hanyin.uow() as uow:
        for model in (GridPost, HouseholdGroupHead):
            (row,) = uow.session.scalars(select(model))
            row.valid_to = today() + timedelta(1)
            name = row.name
        (post,) = uow.session.scalars(select(GridPost))
        kept = {"ended": [[post.id, None, f"{name}调走"]], "opened": [], "removed": [_plain(post)]}
        change = uow.session.scalars(select(GridChange).order_by(GridChange.id)).first()
        assert change is not None
        change.changes = {**change.changes, "posts": kept}
        uow.session.flush()
        service_erase.erase_person(uow, **erase, person_version=uow.get(Person, led).version)
    with hanyin.uow() as uow:
        assert [row.name for model in (GridPost, HouseholdGroupHead) for row in uow.session.scalars(select(model))] == [
            "＊"
        ] * 2
        texts = [str(change.changes) for change in uow.session.scalars(select(GridChange))]
        assert any("＊" in one for one in texts)
        assert not [one for one in texts if name in one], "nor where it would be put back from"
