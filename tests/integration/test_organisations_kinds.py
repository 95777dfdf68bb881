"""Kinds by profile, the demonstration's organisations, and posts that go along when records are merged or erased."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from organisations_kit import EDIT, appointed, cleared, county, organisation, person
from sqlalchemy import select

from xiangyue.errors import Invalid
from xiangyue.features.households.models import Person
from xiangyue.features.organisations import queries, service_holders
from xiangyue.features.organisations.models import OrganisationKind, PostExclusion, PostHolder
from xiangyue.features.organisations.profile import apply_kinds
from xiangyue.features.privacy.queries import obligations
from xiangyue.features.privacy.record import facts_of
from xiangyue.plugin.follows import follow_rows, followers, unfollow_rows
from xiangyue.tenancy.profile import load_profile
from xiangyue.tenancy.profile_organisations import ExclusionSpec, OrganisationKindSpec, OrganisationsSpec, PostSpec
from xiangyue.testing.fixtures import County

__all__ = ["cleared", "county"]

PROFILE = Path(__file__).parents[2] / "tenants" / "hanyin"


def apply(county: County, uow: Any, **own: Any) -> list[str]:
    profile = dataclasses.replace(load_profile(PROFILE), organisations=OrganisationsSpec(**own))
    return [f"{change.verb} {change.what}" for change in apply_kinds(uow, profile, county.runtime.registry)]


def test_a_profile_adds_kinds_leaves_some_out_and_says_who_may_not_sit_where(county: County) -> None:
    own = OrganisationKindSpec(
        "elders", "老年协会", "Elders", "social", ("village",), (PostSpec("chair", "会长", "Chair"),)
    )
    rule = ExclusionSpec("elders", "supervision_committee", source="县里规定")
    with county.uow() as uow:
        told = apply(county, uow, without=("volunteers",), kinds=(own,), exclusions=(rule,))
        assert "add kind of organisation 老年协会" in told
        assert "remove kind of organisation 志愿服务队" in told
        known = {kind.key for kind in queries.kinds(uow)}
        assert "elders" in known
        assert "volunteers" not in known
        assert [post.name for post in queries.post_kinds(uow, "elders")] == ["会长"]
        rules = select(PostExclusion.key).where(PostExclusion.active.is_(True))
        assert "elders/supervision_committee" in set(uow.session.scalars(rules))
        assert apply(county, uow, without=("volunteers",), kinds=(own,), exclusions=(rule,)) == [], "applied already"
        with pytest.raises(Invalid):
            apply(county, uow, without=("volunteer",))
        with pytest.raises(Invalid):
            apply(county, uow, exclusions=(ExclusionSpec("nobody", "volunteers"),))
        uow.rollback()
    with county.uow() as uow:
        rows = uow.session.scalars(select(OrganisationKind).where(OrganisationKind.active.is_(True))).all()
        assert {"village_committee", "consultation_council"} <= {row.key for row in rows}
        assert all(row.source for row in rows), "each with its clause"


def test_posts_go_along_when_two_records_are_one_person(county: County) -> None:
    committee, branch = organisation(county), organisation(county, "party_branch")
    appointed(county, committee, "member", "孙立")
    appointed(county, committee, "member", "赵永红")
    appointed(county, branch, "secretary", "孙立")
    old, new = person(county, "孙立"), person(county, "赵永红")
    with county.uow() as uow:
        (found,) = [f for f in followers(uow, of="person", old=old, new=new) if f.follows.key == "post_holder"]
        assert (len(found.move), len(found.stay)) == (1, 1), "both are members: the survivor's entry stays"
        moved = follow_rows(uow, of="person", old=old, new=new)
        rows = uow.session.scalars(select(PostHolder).where(PostHolder.person_id == new)).all()
        assert {row.organisation_id for row in rows} == {committee.id, branch.id}
        assert unfollow_rows(uow, of="person", old=old, new=new, moved=moved) == {}
        assert len(uow.session.scalars(select(PostHolder).where(PostHolder.person_id == old)).all()) == 2
        uow.rollback()


def test_somebody_in_office_is_not_erased_before_the_term_ends(county: County) -> None:
    committee = organisation(county)
    row = appointed(county, committee, "head", "孙立")
    with county.uow() as uow:
        assert [number for _label, number in obligations(uow, person(county, "孙立"))] == [1]
    with county.uow(county.actor(EDIT)) as uow:
        service_holders.end_holder(uow, id=row.id, version=1, on="2025-01-01", reason="resigned")
    with county.uow() as uow:
        assert obligations(uow, person(county, "孙立")) == []


def test_the_whole_record_of_a_person_has_the_posts(county: County) -> None:
    committee = organisation(county, name="东南村村民委员会")
    appointed(county, committee, "head", "孙立")
    with county.uow() as uow:
        who = uow.session.scalars(select(Person).where(Person.name == "孙立")).one()
        facts = facts_of(uow, county.runtime.tenant_keys(uow), who)
    assert ("东南村村民委员会 主任", "2024-03-01 – …") in {(fact.name, fact.value) for fact in facts}
