"""The operator among the counties: every visit has a reason in the trail, no county's actor comes through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from xiangyue.access.models import Account, AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, NotFound, Stale
from xiangyue.features.console.policy import OPERATOR_MANAGE, OPERATOR_VIEW
from xiangyue.features.console.queries.usage import readable_size, table_sizes, usage_of
from xiangyue.features.console.service.administrators import invite_administrator
from xiangyue.features.console.service.counties import apply_profile, plan_profile, suspend_county
from xiangyue.features.households.models import Household
from xiangyue.runtime import Runtime
from xiangyue.tenancy import lifecycle, provision
from xiangyue.tenancy.counties import minimal_profile
from xiangyue.tenancy.cross import each_tenant, visit
from xiangyue.tenancy.models import Tenant, TenantHost
from xiangyue.testing.fixtures import County


def logins(uow: Uow) -> set[str]:
    return set(uow.session.scalars(select(Account.login)))


def reads(operator: County) -> list[AuditEntry]:
    with operator.uow() as uow:
        statement = select(AuditEntry).where(AuditEntry.action == "operator.read").order_by(AuditEntry.id)
        return list(uow.session.scalars(statement))


def test_each_visit_sees_one_county(hanyin: County, tongyu: County, operator: County) -> None:
    hanyin.account(login="only-hanyin")
    tongyu.account(login="only-tongyu")
    actor = replace(operator.actor(OPERATOR_VIEW), name="李运营")
    with each_tenant(operator.runtime, reason="a count for a test", actor=actor) as visits:
        found = {county.slug: logins(uow) for county, uow in visits}
    assert set(found) == {"hanyin", "tongyu"}
    assert "only-hanyin" in found["hanyin"] - found["tongyu"]
    assert "only-tongyu" in found["tongyu"] - found["hanyin"]
    last = reads(operator)[-1]
    assert (last.purpose, last.after, last.actor_name) == (
        "a count for a test",
        {"counties": ["hanyin", "tongyu"]},
        "李运营",
    )


def test_the_reason_is_kept_although_the_visit_fails(operator: County) -> None:
    before = len(reads(operator))

    def fail() -> None:
        with each_tenant(operator.runtime, reason="fails", actor=None) as visits:
            for _county, _uow in visits:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [e.purpose for e in reads(operator)[before:]] == ["fails"]


def test_an_actor_of_a_county_is_no_operator(hanyin: County, tongyu: County) -> None:
    runtime = hanyin.runtime
    actor = hanyin.actor(OPERATOR_VIEW, OPERATOR_MANAGE)
    with pytest.raises(NotFound), each_tenant(runtime, reason="x", actor=actor):
        pass
    with pytest.raises(NotFound), visit(runtime, tongyu.info, actor=actor):
        pass
    with pytest.raises(NotFound), hanyin.uow(actor) as uow:
        suspend_county(uow, runtime=runtime, slug="tongyu", reason="x")
    with pytest.raises(NotFound), hanyin.uow(actor) as uow:
        apply_profile(uow, runtime=runtime, profile=minimal_profile("610922"))
    with pytest.raises(NotFound), hanyin.uow(actor) as uow:
        invite_administrator(uow, runtime=runtime, slug="tongyu", login="spy", name="x")
    with tongyu.uow() as uow:
        assert "spy" not in logins(uow)
        assert uow.session.scalars(select(Tenant.state).where(Tenant.slug == "tongyu")).one() == "active"


def test_services_ask_for_the_right_again(operator: County) -> None:
    actor = operator.actor(OPERATOR_VIEW)
    with pytest.raises(Forbidden), operator.uow(actor) as uow:
        suspend_county(uow, runtime=operator.runtime, slug="tongyu", reason="x")
    with pytest.raises(Forbidden), operator.uow(actor) as uow:
        plan_profile(uow, runtime=operator.runtime, profile=minimal_profile("610922"))


def test_a_visit_and_its_trails_stand_or_fall_together(operator: County, tongyu: County) -> None:
    def fail() -> None:
        with visit(operator.runtime, tongyu.info, actor=None) as visited:
            visited.uow.session.add(Account(login="half", name="x"))
            visited.tell(action="tenant.half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with tongyu.uow() as uow:
        assert "half" not in logins(uow)
    with operator.uow() as uow:
        assert uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "tenant.half")).all() == []


def tenants(operator: County) -> list[tuple[object, ...]]:
    with operator.uow() as uow:
        rows = uow.session.execute(select(Tenant.id, Tenant.version, Tenant.settings, Tenant.updated_at))
        return [tuple(row) for row in rows.all()]


def test_a_plan_changes_nothing(runtime: Runtime, operator: County, hanyin: County) -> None:
    before = tenants(operator)
    with hanyin.uow() as uow:
        entries = len(uow.session.scalars(select(AuditEntry.id)).all())
    profile = minimal_profile("610921", "hanyin")
    planned = provision.plan(runtime, profile)
    assert planned
    assert provision.plan(runtime, minimal_profile("610922"))
    assert tenants(operator) == before
    with hanyin.uow() as uow:
        assert len(uow.session.scalars(select(AuditEntry.id)).all()) == entries
        assert uow.session.scalars(select(TenantHost)).all() == []
    # A plan and what is done agree to the letter, and another plan than the confirmed one is not done.
    with pytest.raises(Stale):
        provision.apply(runtime, profile, expected=provision.fingerprint(planned[:-1]))
    assert tenants(operator) == before


def test_two_counties_cannot_share_a_host_or_slug(runtime: Runtime, operator: County) -> None:
    first = replace(minimal_profile("610923"), hosts=("gov.example.cn", "www.example.cn"))
    done = provision.apply(runtime, first)
    assert [str(c) for c in done[:3]] == ["+ tenant ningshan", "+ host gov.example.cn", "+ host www.example.cn"]
    assert provision.apply(runtime, first) == []
    found = runtime.directory.find("gov.example.cn")
    assert found is not None
    assert found.slug == "ningshan"
    second = replace(minimal_profile("610924"), hosts=("www.example.cn",))
    for act in (provision.plan, provision.apply):
        with pytest.raises(Conflict, match=r"www\.example\.cn"):
            act(runtime, second)
    with pytest.raises(Conflict, match="610923"):
        provision.apply(runtime, minimal_profile("610924", "ningshan"))
    assert runtime.directory.by_slug("ziyang") is None
    # Given up by one, it is free for the other.
    assert [str(c) for c in provision.apply(runtime, replace(first, hosts=("gov.example.cn",)))] == [
        "- host www.example.cn"
    ]
    assert "+ host www.example.cn" in [str(c) for c in provision.apply(runtime, second)]


def test_a_change_of_the_county_raises_its_version(runtime: Runtime, operator: County) -> None:
    profile = minimal_profile("610925")
    provision.apply(runtime, profile)

    def version() -> int:
        with operator.uow() as uow:
            return uow.session.scalars(select(Tenant.version).where(Tenant.slug == profile.slug)).one()

    first = version()
    provision.apply(runtime, profile)
    assert version() == first
    provision.apply(runtime, replace(profile, locale="en"))
    assert version() == first + 1
    assert lifecycle.suspend(runtime, profile.slug, reason="x", version=first + 1) == first + 2
    with pytest.raises(Stale):
        lifecycle.resume(runtime, profile.slug, version=first)


def test_numbers_of_a_county(runtime: Runtime, hanyin: County, tongyu: County) -> None:
    with hanyin.uow() as uow:
        uow.session.add_all(
            Household(code=f"{n:016}", area_code=610921107202000, state="closed" if n == 1 else "active")
            for n in range(1, 5)
        )
    with hanyin.uow() as uow:
        usage = usage_of(uow, table_sizes(uow))
    assert usage.households == 3
    assert usage.database_bytes >= 0
    with tongyu.uow() as uow:
        assert usage_of(uow, table_sizes(uow)).households == 0


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (34_100_000, "34.1 MB"), (2 * 10**12, "2000.0 GB")],
)
def test_sizes_are_readable(size: int, shown: str) -> None:
    assert readable_size(size) == shown
