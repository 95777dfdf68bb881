"""Organisations and who holds their posts: seats, terms, exclusions by law, people who are gone, new terms."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from households_kit import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, entries
from organisations_kit import (
    EDIT,
    START,
    appointed,
    cleared,
    county,
    holder_values,
    organisation,
    person,
    post_id,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import holders, queries, service, service_elections, service_holders, service_posts
from xiangyue.features.organisations.models import Organisation, Post, PostHolder
from xiangyue.features.organisations.policy import VIEW
from xiangyue.testing.fixtures import County

__all__ = ["cleared", "county"]


def refused(
    county: County, organisation: Organisation, key: str, name: str, since: Any = START, **values: Any
) -> dict[str, Any]:
    """What is said about somebody who may not take a post up, by field."""
    with pytest.raises(Invalid) as caught:
        appointed(county, organisation, key, name, since, **values)
    return {field: " ".join(map(str, texts)) for field, texts in caught.value.fields.items()}


def test_an_organisation_has_the_posts_of_its_kind_and_lies_in_its_area(county: County) -> None:
    made = organisation(county, name="上七村村民委员会", term_from="2024-03-01")
    assert (made.level, made.area_code, made.term_until) == ("village", VILLAGE, date(2029, 3, 1))
    with county.uow() as uow:
        posts = holders.posts_of(uow, [made.id])[made.id]
        assert [(post.key, post.seats_min, post.seats_max) for post in posts] == [
            ("head", 1, 1), ("deputy", 0, 3), ("member", 0, 5),
        ]  # fmt: skip
    elsewhere = county.actor(VIEW, EDIT, area=OTHER_TOWN)
    with county.uow(elsewhere) as uow:
        uow.set_scope(elsewhere.scope(VIEW))
        with pytest.raises(NotFound):
            queries.get_organisation(uow, made.id)
    with county.uow(elsewhere) as uow, pytest.raises(Invalid) as caught:
        service.create_organisation(uow, values={"kind": "village_committee", "area": str(VILLAGE), "name": "x"})
    assert set(caught.value.fields) == {"area"}
    with county.uow(elsewhere) as uow, pytest.raises(NotFound):
        service.edit_organisation(uow, id=made.id, version=1, values={"name": "y"})
    with county.uow(county.actor(VIEW)) as uow, pytest.raises(Forbidden):
        service.create_organisation(uow, values={})


def test_what_is_wrong_with_an_organisation_is_said_by_field(county: County) -> None:
    organisation(county, name="村委会")
    with county.uow(county.actor(EDIT)) as uow:
        here = {"kind": "village_committee", "area": str(VILLAGE)}
        wrong = "91350100M000100Y44"
        cases: list[tuple[dict[str, Any], set[str]]] = [
            ({**here, "kind": "none", "name": "x"}, {"kind"}),
            ({**here, "area": str(TOWN), "name": "x"}, {"area"}),
            ({**here, "name": "村委会"}, {"name"}),
            ({**here, "kind": "farmers_cooperative", "name": "社", "registration_code": wrong}, {"registration_code"}),
            ({**here, "name": "", "term_from": "2024-01-01", "term_until": "2023-01-01"}, {"name", "term_until"}),
        ]
        for values, fields in cases:
            with pytest.raises(Invalid) as caught:
                service.create_organisation(uow, values=values)
            assert set(caught.value.fields) == fields, values


def test_terms_do_not_overlap_beyond_the_seats(county: County) -> None:
    committee = organisation(county)
    first = appointed(county, committee, "head", "王建国")
    said = refused(county, committee, "head", "赵永红", date(2025, 1, 1))
    assert "王建国" in said["valid_from"]
    assert "2024-03-01" in said["valid_from"]
    with county.uow(county.actor(EDIT)) as uow:
        service_holders.end_holder(uow, id=first.id, version=1, on="2025-01-01", reason="resigned")
    appointed(county, committee, "head", "赵永红", date(2025, 1, 1))
    assert (
        "王建国" in refused(county, committee, "head", "孙立", date(2024, 12, 31), valid_to="2025-01-01")["valid_from"]
    )
    appointed(county, committee, "head", "孙立", date(2023, 1, 1), valid_to="2024-03-01", end_reason="new_term")
    assert "任期重叠" in refused(county, committee, "head", "赵永红", date(2025, 6, 1))["valid_from"]
    with county.uow() as uow:
        row = uow.session.scalars(select(PostHolder).where(PostHolder.valid_to.is_(None))).one()
        twin = PostHolder(organisation_id=committee.id, post_id=row.post_id, seat=row.seat, outsider_name="x",
                          valid_from=date(2026, 1, 1), way="elected")  # fmt: skip
        uow.session.add(twin)
        with pytest.raises(IntegrityError, match="ex_post_holder_one_seat"):
            uow.session.flush()
        uow.rollback()


def test_the_person_must_be_on_the_register_and_of_age(county: County) -> None:
    committee = organisation(county)
    assert set(refused(county, committee, "head", "王苗苗")) == {"person_id"}
    with county.uow(county.actor(EDIT)) as uow, pytest.raises(Invalid) as caught:
        service_holders.appoint(
            uow, post_id=post_id(county, committee, "head"), values={"person_id": 0, "way": "nonsense"}
        )
    assert set(caught.value.fields) == {"person_id", "valid_from", "way"}
    with county.uow() as uow:
        who = uow.session.scalars(select(Person).where(Person.name == "周全")).one()
        who.state, who.left_on = "deceased", date(2025, 5, 1)
    try:
        assert "2025-05-01" in refused(county, committee, "head", "周全")["person_id"]
        row = appointed(county, committee, "head", "周全", valid_to="2025-05-01", end_reason="deceased")
        assert row.end_reason == "deceased"
    finally:
        with county.uow() as uow:
            who = uow.session.scalars(select(Person).where(Person.name == "周全")).one()
            who.state, who.left_on = "active", None


def test_who_died_or_moved_away_in_office_is_found(county: County) -> None:
    committee = organisation(county)
    row = appointed(county, committee, "head", "周全")
    with county.uow() as uow:
        assert queries.with_gone(uow) == set()
        who = uow.session.scalars(select(Person).where(Person.name == "周全")).one()
        who.state, who.left_on = "moved", today()
        uow.session.flush()
        assert queries.with_gone(uow) == {committee.id}
        seats = holders.seats_on(uow, [committee.id])[committee.id]
        assert [h.gone for s in seats for h in s.holdings] == ["moved"]
        page = queries.list_organisations(uow, queries.OrganisationFilter(open="gone"))
        assert [o.id for o in page.rows] == [committee.id]
        uow.rollback()
    with county.uow(county.actor(EDIT)) as uow:
        service_holders.end_holder(uow, id=row.id, version=1, on=today(), reason="moved")
    with county.uow() as uow:
        assert [o.id for o in queries.list_organisations(uow, queries.OrganisationFilter(open="vacant")).rows] == [
            committee.id
        ]


def test_members_of_the_committee_and_near_relatives_stay_out_of_supervision(county: County) -> None:
    committee, supervision = organisation(county), organisation(county, "supervision_committee")
    appointed(county, committee, "head", "王建国")
    said = refused(county, supervision, "member", "王建国")["person_id"]
    assert "村民委员会组织法第三十二条" in said
    for name, relation in (("陈桂兰", "spouses"), ("王小山", "parent and child")):
        text = refused(county, supervision, "member", name, doubt_reason="村民代表会议同意")["person_id"]
        assert "王建国" in text
        assert relation in text or relation in ("spouses", "parent and child")
    assert set(refused(county, supervision, "member", "李春花")) == {"doubt_reason"}
    row = appointed(county, supervision, "member", "李春花", doubt_reason="儿媳不在近亲属之列，镇里已核实")
    assert row.doubt
    assert row.doubt_reason.startswith("儿媳")
    appointed(county, supervision, "head", "赵永红")
    assert "person_id" in refused(county, committee, "member", "赵永红"), "both ways"
    far = organisation(county, "supervision_committee", "别村监委会", OTHER_VILLAGE)
    appointed(county, far, "member", "陈桂兰")
    with county.uow(county.actor(EDIT)) as uow:
        holder = uow.session.scalars(select(PostHolder).where(PostHolder.person_id == person(county, "王建国"))).one()
        service_holders.end_holder(uow, id=holder.id, version=1, on="2025-01-01", reason="resigned")
    appointed(county, supervision, "member", "陈桂兰", date(2025, 1, 1))
    assert "person_id" in refused(county, supervision, "member", "王小山", date(2024, 12, 31)), "one day is enough"


def test_the_head_of_the_collective_does_not_supervise_but_others_of_it_may(county: County) -> None:
    collective, supervision = organisation(county, "collective_economy"), organisation(county, "supervision_committee")
    appointed(county, collective, "chair", "赵永红")
    appointed(county, collective, "director", "孙立")
    assert "person_id" in refused(county, supervision, "member", "赵永红")
    appointed(county, supervision, "member", "孙立")


def test_one_person_may_head_party_branch_and_committee(county: County) -> None:
    branch, committee = organisation(county, "party_branch"), organisation(county)
    appointed(county, branch, "secretary", "王建国")
    appointed(county, committee, "head", "王建国")
    with county.uow() as uow:
        assert holders.double_heads(uow, VILLAGE, today()) == {person(county, "王建国")}


def test_entries_are_put_right_ended_and_taken_out(county: County) -> None:
    committee = organisation(county, term_from="2024-03-01")
    row = appointed(county, committee, "head", "王建国", votes=300, votes_cast=400)
    assert row.term_until == date(2029, 3, 1), "that of the organisation"
    with county.uow(county.actor(EDIT)) as uow:
        with pytest.raises(Stale):
            service_holders.edit_holder(uow, id=row.id, version=9, values={"votes": 301})
        changed = service_holders.edit_holder(
            uow, id=row.id, version=1, values={"valid_from": "2024-04-01", "votes": "301"}
        )
        assert (changed.valid_from, changed.votes, changed.version) == (date(2024, 4, 1), 301, 2)
        with pytest.raises(Invalid) as caught:
            service_holders.edit_holder(uow, id=row.id, version=2, values={"votes": 500})
        assert set(caught.value.fields) == {"votes"}
        with pytest.raises(Invalid) as caught:
            service_holders.end_holder(uow, id=row.id, version=2, on="2024-04-01", reason="other")
        assert set(caught.value.fields) == {"on", "text"}
        with pytest.raises(Invalid):
            service_holders.remove_holder(uow, id=row.id, version=2, reason="")
        service_holders.remove_holder(uow, id=row.id, version=2, reason="录错了人")
    assert (entries(county, "post_holder.remove")[-1].before or {})["person_id"] == person(county, "王建国")
    assert "王建国" not in str(entries(county, "post_holder.remove")[-1].object_label)


def line(county: County, committee: Organisation, key: str, name: str, **values: Any) -> dict[str, Any]:
    return {"post_id": post_id(county, committee, key), "person_id": person(county, name), **values}


def elected(county: County, committee: Organisation, lines: list[dict[str, Any]], since: str = "2025-01-01") -> Any:
    with county.uow(county.actor(EDIT)) as uow:
        version = uow.get(Organisation, committee.id).version
        values = {"term_from": since, "decided_on": since, "way": "elected", "voters": 900, "votes_cast": 700}
        return service_elections.hold_election(
            uow, organisation_id=committee.id, version=version, values=values, lines=lines
        )


def standing(county: County, committee: Organisation) -> dict[str, date]:
    with county.uow() as uow:
        seats = holders.seats_on(uow, [committee.id])[committee.id]
        return {h.name: h.row.valid_from for s in seats for h in s.holdings}


def test_a_new_term_says_who_stays_and_who_goes_and_is_taken_back_whole(county: County) -> None:
    committee = organisation(county, term_from="2020-01-01")
    appointed(county, committee, "head", "王建国", date(2020, 1, 1))
    appointed(county, committee, "member", "赵永红", date(2020, 1, 1))
    appointed(county, committee, "member", "孙立", date(2020, 1, 1))
    made = elected(county, committee, [
        line(county, committee, "head", "赵永红", votes=650),
        line(county, committee, "member", "孙立"),
        {"post_id": post_id(county, committee, "deputy"), "outsider_name": "郑下派"},
    ])  # fmt: skip
    new = date(2025, 1, 1)
    assert standing(county, committee) == {"赵永红": new, "孙立": new, "郑下派": new}
    with county.uow() as uow:
        reasons = {(h.name, h.row.end_reason) for h in holders.all_of(uow, committee.id) if h.row.valid_to}
        assert reasons == {("王建国", "new_term"), ("赵永红", "new_term"), ("孙立", "re_elected")}
        row = uow.get(Organisation, committee.id)
        assert (row.term_from, row.term_until) == (new, date(2030, 1, 1))
        old = holders.seats_on(uow, [committee.id], date(2024, 12, 31))[committee.id]
        assert {h.name for s in old for h in s.holdings} == {"王建国", "赵永红", "孙立"}
    with pytest.raises(Conflict):
        elected(county, committee, [line(county, committee, "head", "王建国")], "2024-06-01")
    with county.uow(county.actor(EDIT)) as uow:
        service_elections.undo_election(uow, id=made.id, version=1)
    assert set(standing(county, committee).values()) == {date(2020, 1, 1)}
    with county.uow() as uow:
        assert uow.get(Organisation, committee.id).term_from == date(2020, 1, 1)


def test_a_new_term_refuses_line_by_line_and_changes_nothing(county: County) -> None:
    committee, supervision = organisation(county), organisation(county, "supervision_committee")
    appointed(county, supervision, "head", "陈桂兰")
    appointed(county, committee, "head", "赵永红")
    with pytest.raises(Invalid) as caught:
        elected(county, committee, [
            line(county, committee, "head", "王建国"),
            line(county, committee, "head", "孙立"),
            {"post_id": post_id(county, committee, "member")},
        ])  # fmt: skip
    assert set(caught.value.fields) == {"lines.2.person_id"}
    with pytest.raises(Invalid) as caught:
        elected(county, committee, [
            line(county, committee, "head", "孙立"),
            line(county, committee, "head", "吴·木子"),
            line(county, committee, "member", "王建国"),
            line(county, committee, "member", "李春花", votes=701),
        ])  # fmt: skip
    assert set(caught.value.fields) >= {"lines.1.post_id", "lines.2.person_id", "lines.3.votes"}
    assert standing(county, committee) == {"赵永红": START}


def test_a_term_that_was_built_on_is_not_taken_back(county: County) -> None:
    committee = organisation(county)
    made = elected(county, committee, [line(county, committee, "head", "孙立")])
    with county.uow(county.actor(EDIT)) as uow:
        row = uow.session.scalars(select(PostHolder)).one()
        service_holders.end_holder(uow, id=row.id, version=row.version, on="2025-05-05", reason="resigned")
        with pytest.raises(Conflict):
            service_elections.undo_election(uow, id=made.id, version=1)
        with pytest.raises(Conflict):
            service_holders.remove_holder(uow, id=row.id, version=row.version, reason="mistake")


def test_seats_are_not_taken_from_under_holders(county: County) -> None:
    committee = organisation(county)
    for name in ("王建国", "赵永红"):
        appointed(county, committee, "member", name)
    with county.uow(county.actor(EDIT)) as uow:
        id = post_id(county, committee, "member")
        with pytest.raises(Invalid) as caught:
            service_posts.edit_post(uow, id=id, version=1, values={"seats_max": 1})
        assert set(caught.value.fields) == {"seats_max"}
        service_posts.edit_post(uow, id=id, version=1, values={"seats_max": 2})
        with pytest.raises(Conflict):
            service_posts.close_post(uow, id=id, version=2)
        own = service_posts.add_post(uow, organisation_id=committee.id, values={"name": "文书", "seats_max": 1})
        service_posts.close_post(uow, id=own.id, version=1)
        with pytest.raises(Conflict):
            service_holders.appoint(uow, post_id=own.id, values=holder_values(county, "孙立"))


def test_dissolving_ends_all_terms_and_is_taken_back(county: County) -> None:
    committee = organisation(county)
    below = organisation(county, "people_mediation", parent_id=committee.id)
    appointed(county, committee, "head", "王建国")
    with county.uow(county.actor(EDIT)) as uow:
        with pytest.raises(Conflict):
            service.dissolve_organisation(uow, id=committee.id, version=1, on="2025-01-01", reason="撤并")
        service.dissolve_organisation(uow, id=below.id, version=1, on="2025-01-01", reason="撤并")
        done = service.dissolve_organisation(uow, id=committee.id, version=1, on="2025-01-01", reason="撤并")
    assert standing(county, committee) == {}
    with pytest.raises(Conflict):
        appointed(county, committee, "member", "孙立")
    with county.uow(county.actor(EDIT)) as uow:
        assert queries.count_organisations(uow, queries.OrganisationFilter()) == 0
        assert queries.count_organisations(uow, queries.OrganisationFilter(on=date(2024, 12, 31))) == 2
        service.reopen_organisation(uow, id=committee.id, version=done.version)
    assert standing(county, committee) == {"王建国": START}


def test_parents_do_not_go_round(county: County) -> None:
    one = organisation(county)
    two = organisation(county, "people_mediation", parent_id=one.id)
    with county.uow(county.actor(EDIT)) as uow, pytest.raises(Invalid) as caught:
        service.edit_organisation(uow, id=one.id, version=1, values={"parent_id": two.id})
    assert set(caught.value.fields) == {"parent_id"}


def test_lists_are_narrowed_sorted_and_paged(county: County) -> None:
    made = [
        organisation(county, name="乙村委会", term_until=today() - timedelta(days=1)),
        organisation(county, "supervision_committee", "甲监委会", term_until=today() + timedelta(days=30)),
        organisation(county, "party_branch", "丙支部", OTHER_VILLAGE, term_until=today() + timedelta(days=900)),
    ]
    with county.uow() as uow:

        def names(sort: str = "area", **wanted: Any) -> list[str]:
            page = queries.list_organisations(uow, queries.OrganisationFilter(**wanted), sort=sort)
            return [row.name for row in page.rows]

        assert names(term="late") == ["乙村委会"]
        assert names(term="soon") == ["甲监委会"]
        assert names(kind="party_branch") == names(family="party") == names(area=OTHER_VILLAGE) == ["丙支部"]
        assert names(q="jia") == ["甲监委会"]
        assert names("term") == ["乙村委会", "甲监委会", "丙支部"]
        assert names("-name") == ["乙村委会", "甲监委会", "丙支部"]
        first = queries.list_organisations(uow, queries.OrganisationFilter(), sort="name", limit=2)
        rest = queries.list_organisations(uow, queries.OrganisationFilter(), sort="name", limit=2, after=first.next)
        assert [row.id for row in (*first.rows, *rest.rows)] == [made[2].id, made[1].id, made[0].id]
        back = queries.list_organisations(uow, queries.OrganisationFilter(), sort="name", limit=2, before=rest.back)
        assert [row.id for row in back.rows] == [row.id for row in first.rows]
        assert uow.session.scalars(select(Post.id)).first() is not None
