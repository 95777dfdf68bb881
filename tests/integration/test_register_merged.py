"""Records that became part of another: no act of the register touches them, and what was merged twice stays one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from households_kit import OTHER_VILLAGE, TOWN, VILLAGE, filled_county, id_of
from sqlalchemy import delete, select

from xiangyue.errors import Conflict
from xiangyue.features.audit.queries import EntryFilter, find_entries
from xiangyue.features.duplicates import policy, service, service_merge
from xiangyue.features.duplicates.models import DuplicatePair, RecordMerge
from xiangyue.features.facts.service import decide_facts
from xiangyue.features.households.bulk import HouseholdRow, upsert_households
from xiangyue.features.households.models import (
    Household,
    HouseholdMember,
    Person,
    PersonMark,
    RegisterAct,
    RegisterActPart,
)
from xiangyue.features.households.models_facts import FactConflict, FactOrigin
from xiangyue.features.households.queries import history
from xiangyue.features.households.queries_register import acts_of, counts_by_base, household_on
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.households.service_register import do_act, refuse_act, report_act, undo_act
from xiangyue.features.privacy import service as privacy
from xiangyue.features.privacy.models import PrivacyRequest
from xiangyue.features.privacy.policy import ERASE, REQUEST
from xiangyue.features.privacy.service_care import set_care
from xiangyue.features.privacy.service_erase import NO_NAME, erase_person
from xiangyue.testing.fixtures import County

__all__ = ["filled_county"]
DAY = date(2026, 5, 1)
ASKED = {"kind": "erase", "asked": "都删掉", "channel": "counter", "identity": "card"}
NUMBERS = ("610921197502030013", "610921197502030021", "61092119750203003X")


@pytest.fixture(name="thrice")
def county_with_three(county: County) -> Iterator[County]:
    marks = ["party_member"]
    rows = [
        HouseholdRow(VILLAGE + 3, "6109211002000011", "三组8号", [
            {"name": "李建国", "relation": "02", "id_number": NUMBERS[0], "marks": marks},
            {"name": "李小龙", "relation": "20"},
        ]),
        HouseholdRow(OTHER_VILLAGE, "6109211012000012", "一组8号", [
            {"name": "李建国二", "relation": "02", "id_number": NUMBERS[1]},
            {"name": "李妻", "relation": "12"},
        ]),
        HouseholdRow(OTHER_VILLAGE, "6109211012000013", "一组9号", [
            {"name": "李建国三", "relation": "02", "id_number": NUMBERS[2], "marks": marks},
            {"name": "李三子", "relation": "20"},
        ]),
    ]  # fmt: skip
    with county.uow() as uow:
        upsert_households(uow, county.runtime.tenant_keys(uow), rows, source="again")
    yield county
    with county.uow() as uow:
        for model in (RecordMerge, DuplicatePair, RegisterActPart, RegisterAct):
            uow.session.execute(delete(model))


def act(county: County, kind: str, reason: str = "登记", **request: Any) -> int:
    with county.uow() as uow:
        keys = county.runtime.tenant_keys(uow)
        return do_act(uow, keys=keys, kind=kind, on=DAY, request=request, reason=reason).id


def undo_of_act(county: County, id: int) -> None:
    with county.uow() as uow:
        undo_act(uow, act_id=id, version=uow.get(RegisterAct, id).version, reason="错登")


def merge(county: County, kind: str, stays: int, goes: int) -> int:
    with county.uow() as uow:
        pair = service.name_pair(uow, kind=kind, one=stays, other=goes)
        keep = "first" if stays < goes else "second"
        keys = county.runtime.tenant_keys(uow)
        service_merge.merge_pair(uow, keys=keys, id=pair.id, version=pair.version, keep=keep)
        return pair.id


def unmerge(county: County, id: int) -> None:
    with county.uow() as uow:
        service_merge.undo_merge(uow, id=id, version=uow.get(DuplicatePair, id).version)


def person(county: County, name: str) -> int:
    return id_of(county, Person, name=name)


def home(county: County, number: int) -> int:
    code = ("6109211002000011", "6109211012000012", "6109211012000013")[number]
    return id_of(county, Household, code=code)


@pytest.mark.parametrize("kind", ["return", "move_in", "death"])
def test_nothing_happens_to_a_person_who_is_part_of_another(thrice: County, kind: str) -> None:
    one, other = person(thrice, "李建国"), person(thrice, "李建国二")
    merge(thrice, policy.PERSON, one, other)
    with pytest.raises(Conflict, match="另一条记录"):
        act(thrice, kind, person_id=other, household_id=home(thrice, 1))


@pytest.mark.parametrize("kind", ["reopen", "close"])
def test_nothing_happens_to_a_household_that_is_part_of_another(thrice: County, kind: str) -> None:
    merge(thrice, policy.HOUSEHOLD, home(thrice, 0), home(thrice, 1))
    with pytest.raises(Conflict, match="另一条记录"):
        act(thrice, kind, household_id=home(thrice, 1))


def test_an_act_is_not_undone_once_its_person_is_part_of_another(thrice: County) -> None:
    one, other = person(thrice, "李建国"), person(thrice, "李建国二")
    left = act(thrice, "move_out", person_id=other)
    merge(thrice, policy.PERSON, one, other)
    with pytest.raises(Conflict, match="李建国二"):
        undo_of_act(thrice, left)


def test_a_household_is_not_opened_again_once_it_is_part_of_another(thrice: County) -> None:
    closed = act(thrice, "close", household_id=home(thrice, 1))
    merge(thrice, policy.HOUSEHOLD, home(thrice, 0), home(thrice, 1))
    with pytest.raises(Conflict, match="6109211012000012"):
        undo_of_act(thrice, closed)


def test_two_again_need_the_household_that_one_came_from(thrice: County) -> None:
    one, other = person(thrice, "李建国"), person(thrice, "李建国二")
    pair = merge(thrice, policy.PERSON, one, other)
    both = merge(thrice, policy.HOUSEHOLD, home(thrice, 0), home(thrice, 1))
    with pytest.raises(Conflict, match="6109211012000012"):
        unmerge(thrice, pair)
    unmerge(thrice, both)
    unmerge(thrice, pair)
    with thrice.uow() as uow:
        assert uow.get(Person, other).household_id == home(thrice, 1)


def test_two_again_do_not_make_two_heads(thrice: County) -> None:
    one, other = person(thrice, "李建国"), person(thrice, "李建国二")
    pair = merge(thrice, policy.PERSON, one, other)
    act(thrice, "head_change", household_id=home(thrice, 1), person_id=person(thrice, "李妻"))
    with pytest.raises(Conflict):
        unmerge(thrice, pair)


def test_merged_twice_is_one_record_to_a_roster(thrice: County) -> None:
    a, b, c = (person(thrice, name) for name in ("李建国二", "李建国三", "李建国"))
    merge(thrice, policy.PERSON, b, a)
    merge(thrice, policy.PERSON, c, b)
    merge(thrice, policy.HOUSEHOLD, home(thrice, 2), home(thrice, 1))
    merge(thrice, policy.HOUSEHOLD, home(thrice, 0), home(thrice, 2))
    row = HouseholdRow(OTHER_VILLAGE, "6109211012000012", "一组8号", [
        {"name": "李建国二", "relation": "02", "id_number": NUMBERS[1], "nationality": "02"}])  # fmt: skip
    with thrice.uow() as uow:
        upsert_households(uow, thrice.runtime.tenant_keys(uow), [row], source="again")
    with thrice.uow() as uow:
        found = {p.id: (p.state, p.nationality) for p in (uow.get(Person, id) for id in (a, b, c))}
        assert found == {a: ("merged", ""), b: ("merged", ""), c: ("active", "02")}
        stray = select(HouseholdMember).where(HouseholdMember.person_id.in_((a, b)), HouseholdMember.valid_to.is_(None))
        assert list(uow.session.scalars(stray)) == []
        standing = uow.get(Household, home(thrice, 0))
        led = select(Household.merged_into_id).where(Household.id.in_([home(thrice, 1), home(thrice, 2)]))
        assert set(uow.session.scalars(led)) == {standing.id}


def test_merged_twice_is_taken_back_step_by_step(thrice: County) -> None:
    a, b, c = (person(thrice, name) for name in ("李建国二", "李建国三", "李建国"))
    first, second = merge(thrice, policy.PERSON, b, a), merge(thrice, policy.PERSON, c, b)
    with pytest.raises(Conflict):
        unmerge(thrice, first)
    unmerge(thrice, second)
    with thrice.uow() as uow:
        assert [uow.get(Person, id).merged_into_id for id in (a, b, c)] == [b, None, None]
    unmerge(thrice, first)
    homes = [home(thrice, n) for n in (1, 2, 0)]
    first = merge(thrice, policy.HOUSEHOLD, homes[1], homes[0])
    unmerge(thrice, merge(thrice, policy.HOUSEHOLD, homes[2], homes[1]))
    with thrice.uow() as uow:
        assert [uow.get(Household, id).merged_into_id for id in homes] == [homes[1], None, None]
    unmerge(thrice, first)
    with thrice.uow() as uow:
        assert [uow.get(Person, id).merged_into_id for id in (a, b, c)] == [None] * 3
        assert [uow.get(Household, id).merged_into_id for id in homes] == [None] * 3


@pytest.mark.parametrize("kind", [policy.PERSON, policy.HOUSEHOLD])
def test_undoing_the_second_merge_into_a_record_frees_the_first(thrice: County, kind: str) -> None:
    stays, one, two = (
        (home(thrice, n) for n in (0, 1, 2))
        if kind == policy.HOUSEHOLD
        else (person(thrice, name) for name in ("李建国", "李建国二", "李建国三"))
    )
    first, second = merge(thrice, kind, stays, one), merge(thrice, kind, stays, two)
    with pytest.raises(Conflict):
        unmerge(thrice, first)
    unmerge(thrice, second)
    unmerge(thrice, first)
    model: Any = Household if kind == policy.HOUSEHOLD else Person
    with thrice.uow() as uow:
        assert [uow.get(model, id).merged_into_id for id in (stays, one, two)] == [None] * 3


def test_a_merge_of_persons_undone_frees_the_merge_of_their_households(thrice: County) -> None:
    both = merge(thrice, policy.HOUSEHOLD, home(thrice, 0), home(thrice, 1))
    unmerge(thrice, merge(thrice, policy.PERSON, person(thrice, "李建国"), person(thrice, "李建国二")))
    unmerge(thrice, both)


def test_what_was_changed_between_two_merges_still_holds_the_first(thrice: County) -> None:
    stays, one, two = (person(thrice, name) for name in ("李建国", "李建国二", "李建国三"))
    first = merge(thrice, policy.PERSON, stays, one)
    with thrice.uow() as uow:
        keys, version = thrice.runtime.tenant_keys(uow), uow.get(Person, stays).version
        edit_person(uow, keys=keys, person_id=stays, version=version, changes={"nationality": "02"})
    unmerge(thrice, merge(thrice, policy.PERSON, stays, two))
    with pytest.raises(Conflict):
        unmerge(thrice, first)


def test_whom_another_record_became_part_of_is_not_taken_out_of_the_register(thrice: County) -> None:
    born = act(thrice, "birth", household_id=home(thrice, 0), values={"name": "李新生", "relation": "20", "sex": "1"})
    baby = person(thrice, "李新生")
    merge(thrice, policy.PERSON, baby, person(thrice, "李三子"))
    with pytest.raises(Conflict):
        undo_of_act(thrice, born)


def test_erasing_reaches_every_record_that_became_part(thrice: County) -> None:
    """Two merges one after the other, and a mark that both had and that stayed behind."""
    a, b, c = (person(thrice, name) for name in ("李建国二", "李建国三", "李建国"))
    merge(thrice, policy.PERSON, b, a)
    merge(thrice, policy.PERSON, c, b)
    act(thrice, "move_out", person_id=c)
    with thrice.uow(thrice.actor(REQUEST)) as uow:
        request = privacy.register_request(uow, person_id=c, values=ASKED)
        privacy.take_up(uow, id=request.id, version=1)
    with thrice.uow(thrice.actor(ERASE, REQUEST, area=TOWN)) as uow:
        version = uow.get(Person, c).version
        erase_person(uow, id=request.id, version=2, person_version=version, text="已删除")
    with thrice.uow() as uow:
        for id in (a, b, c):
            one = uow.get(Person, id)
            assert (one.name, one.id_number_index, one.erased_at is None) == (NO_NAME, None, False), id
        marks = select(PersonMark.id).where(PersonMark.person_id.in_((a, b, c)))
        assert list(uow.session.scalars(marks)) == []
        uow.session.execute(delete(PrivacyRequest))


def test_the_trail_of_acts_and_pairs_does_not_name_who_was_erased(thrice: County) -> None:
    id = person(thrice, "李小龙")
    with thrice.uow() as uow:
        pair = service.name_pair(uow, kind=policy.PERSON, one=id, other=person(thrice, "李三子"))
        service.say_different(uow, id=pair.id, version=pair.version)
    left = act(thrice, "leave", person_id=id)
    undo_of_act(thrice, left)
    act(thrice, "move_out", person_id=id)
    with thrice.uow() as uow:
        seen = find_entries(uow, EntryFilter(), limit=500).entries
        assert "李小龙" in {e.object_label for e in seen if e.object_type == "register_act"}
    with thrice.uow() as uow:
        uow.get(Person, id).erased_at = datetime.now(UTC)
    with thrice.uow() as uow:
        seen = find_entries(uow, EntryFilter(), limit=500).entries
        kinds = ("register_act", "duplicate_pair")
        assert not [e.object_label for e in seen if e.object_type in kinds and "李小龙" in str(e.object_label)]
    with thrice.uow() as uow:
        uow.get(Person, id).erased_at = None


@pytest.mark.parametrize("kind", ["return", "death"])
def test_nothing_happens_to_somebody_erased(thrice: County, kind: str) -> None:
    id = person(thrice, "李小龙")
    act(thrice, "move_out", person_id=id)
    with thrice.uow() as uow:
        uow.get(Person, id).erased_at = datetime.now(UTC)
    with pytest.raises(Conflict):
        act(thrice, kind, person_id=id)
    with pytest.raises(Conflict, match="删除"):
        merge(thrice, policy.PERSON, id, person(thrice, "李三子"))


def test_what_is_part_of_another_takes_no_requests_and_no_carers(thrice: County) -> None:
    one, other = person(thrice, "李小龙"), person(thrice, "李三子")
    merge(thrice, policy.PERSON, one, other)
    with thrice.uow() as uow, pytest.raises(Conflict, match="另一条记录"):
        privacy.register_request(uow, person_id=other, values=ASKED)
    with thrice.uow() as uow, pytest.raises(Conflict, match="另一条记录"):
        set_care(uow, keys=thrice.runtime.tenant_keys(uow), person_id=other, version=0, values={"carer_name": "王五"})


def test_two_colleagues_decide_on_one_pair(thrice: County) -> None:
    """One says that they are different while the other has just made them one: what is merged stays so."""
    pair = merge(thrice, policy.PERSON, person(thrice, "李小龙"), person(thrice, "李三子"))
    with thrice.uow() as uow:
        assert service.say_many_different(uow, ids=[pair, pair]) == 0
        assert uow.get(DuplicatePair, pair).state == "merged"


@pytest.mark.parametrize("kind", [policy.HOUSEHOLD, policy.PERSON])
def test_what_was_reported_is_decided_before_the_record_goes(thrice: County, kind: str) -> None:
    told: dict[str, Any] = {"household_id": home(thrice, 1), "values": {"name": "李新生", "relation": "20", "sex": "1"}}
    what, stays, goes = "birth", home(thrice, 0), home(thrice, 1)
    if kind == policy.PERSON:
        stays, goes = person(thrice, "李小龙"), person(thrice, "李三子")
        what, told = "move_out", {"person_id": goes}
    with thrice.uow() as uow:
        id = report_act(uow, keys=thrice.runtime.tenant_keys(uow), kind=what, on=DAY, request=told, reason="登记").id
    with pytest.raises(Conflict, match="待确认"):
        merge(thrice, kind, stays, goes)
    with thrice.uow() as uow:
        refuse_act(uow, act_id=id, version=1, reason="不是")
    merge(thrice, kind, stays, goes)


def test_a_value_that_was_taken_and_put_right_again_is_asked_about_again(thrice: County) -> None:
    id = person(thrice, "李小龙")

    def put(nationality: str) -> None:
        with thrice.uow() as uow:
            keys, version = thrice.runtime.tenant_keys(uow), uow.get(Person, id).version
            edit_person(uow, keys=keys, person_id=id, version=version, changes={"nationality": nationality})

    def offer() -> list[str]:
        members = [
            {"name": "李建国", "relation": "02", "id_number": NUMBERS[0]},
            {"name": "李小龙", "relation": "20", "nationality": "02"},
        ]
        row = HouseholdRow(VILLAGE + 3, "6109211002000011", "三组8号", members)
        with thrice.uow() as uow:
            upsert_households(uow, thrice.runtime.tenant_keys(uow), [row], source="again")
        with thrice.uow() as uow:
            return list(uow.session.scalars(select(FactConflict.state)))

    def decide(way: str) -> None:
        with thrice.uow() as uow:
            ids = list(uow.session.scalars(select(FactConflict.id)))
            assert decide_facts(uow, keys=thrice.runtime.tenant_keys(uow), ids=ids, way=way) == (1, [])

    put("03")
    assert offer() == ["open"]
    decide("take")
    put("03")
    assert offer() == ["open"]
    decide("keep")
    assert offer() == ["kept"]
    with thrice.uow() as uow:
        uow.session.execute(delete(FactConflict))
        uow.session.execute(delete(FactOrigin))


def test_the_history_of_what_became_part_is_shown_with_what_stayed(thrice: County) -> None:
    act(thrice, "move_out", person_id=person(thrice, "李妻"), reason="远嫁他乡")
    merge(thrice, policy.HOUSEHOLD, home(thrice, 0), home(thrice, 1))
    page = thrice.client("county_admin").get(f"/households/{home(thrice, 0)}").text
    assert "远嫁他乡" in page
    with thrice.uow() as uow:
        assert [a.kind for a in acts_of(uow, "household", home(thrice, 0))] == ["move_out"]
        # The closing of a record that became part closes nothing of the one that stayed.
        assert household_on(uow, home(thrice, 0), DAY).state == "active"
        told = history(uow, "household", home(thrice, 0))
        assert home(thrice, 1) in {entry.object_id for entry in told if entry.object_type == "household"}


def test_of_a_past_day_a_merged_person_counts_once(thrice: County) -> None:
    before, on = date(2026, 4, 1), date(2026, 4, 15)
    one, other = person(thrice, "李小龙"), person(thrice, "李三子")
    with thrice.uow() as uow:
        counted = counts_by_base(uow, 0, before)
    # Both records have a past of their own: one left, and came back after the day asked for.
    for id, back in ((one, home(thrice, 0)), (other, home(thrice, 2))):
        for kind, day in (("leave", on), ("return", DAY)):
            with thrice.uow() as uow:
                asked = {"person_id": id, **({"household_id": back} if kind == "return" else {})}
                keys = thrice.runtime.tenant_keys(uow)
                do_act(uow, keys=keys, kind=kind, on=day, request=asked, reason="登记")
    merge(thrice, policy.PERSON, one, other)
    with thrice.uow() as uow:
        assert counts_by_base(uow, 0, before) == (counted[0] - 1, counted[1] - 1)
        # Once on each household's own page, where both records had been.
        shown = [m.person_id for n in (0, 2) for m in household_on(uow, home(thrice, n), before).members]
        assert shown.count(one) == len([id for id in shown if id in (one, other)])
