"""Which plugins a county has on: known by a version, so remembered without being stale."""

from __future__ import annotations

from sqlalchemy import event, select

from xiangyue.access.actor import system_actor
from xiangyue.access.authenticate import session_actor
from xiangyue.db.session import make_engine
from xiangyue.db.uow import Uow
from xiangyue.plugin.models import TenantPlugin
from xiangyue.runtime import Runtime, offer_of
from xiangyue.tenancy.enablement import enabled_names, plugins_changed
from xiangyue.testing.fixtures import County


def switch(county: County, **states: bool) -> None:
    with county.uow() as uow:
        plugins_changed(uow)
        known = {p.name: p for p in uow.session.scalars(select(TenantPlugin))}
        for position, (name, enabled) in enumerate(states.items(), len(known)):
            if name in known:
                known[name].enabled = enabled
            else:
                uow.session.add(TenantPlugin(name=name, enabled=enabled, position=position))


def names(county: County) -> tuple[str, ...]:
    with county.uow() as uow:
        return enabled_names(uow)


def test_each_county_has_its_own_in_its_order(hanyin: County, tongyu: County) -> None:
    before = names(hanyin)  # what its profile says
    switch(hanyin, zebra=True, apple=True, off=False)
    switch(tongyu, off=True)
    assert (names(hanyin), names(tongyu)) == ((*before, "zebra", "apple"), ("off",))
    switch(hanyin, zebra=False)
    assert (names(hanyin), names(tongyu)) == ((*before, "apple"), ("off",))


def test_a_known_version_costs_no_statement(runtime: Runtime, hanyin: County) -> None:
    expected = names(hanyin)
    with hanyin.uow() as uow:
        enabled_names(uow)
        version = uow.plugins_version
    with hanyin.uow() as uow:
        uow.plugins_version = version
        begun: list[object] = []
        event.listen(uow.session, "after_begin", lambda *given: begun.append(given))
        assert enabled_names(uow) == expected
        assert begun == []


def test_who_asks_brings_the_version_along(hanyin: County) -> None:
    client = hanyin.client("county_admin")
    cookie = client.get_cookie(f"xy_session_{hanyin.runtime.settings.cookie_suffix}", domain=hanyin.host)
    assert cookie is not None

    def ask() -> tuple[int, set[str]]:
        with hanyin.uow() as uow:
            session_actor(uow, cookie.value, tenant_area=hanyin.info.area_code, hours=1)
            assert uow.plugins_version is not None
            return uow.plugins_version, set(enabled_names(uow))

    before, old = ask()
    switch(hanyin, fresh=True)
    assert ask() == (before + 1, old | {"fresh"})


def test_a_change_rolled_back_leaves_no_trace(hanyin: County) -> None:
    before = names(hanyin)
    with hanyin.runtime.uow(hanyin.info.id) as uow:
        plugins_changed(uow)
        uow.session.add(TenantPlugin(name="ghost", enabled=True))
        assert "ghost" in enabled_names(uow)
        uow.rollback()
    switch(hanyin, other=False)  # has the number that the rolled back one had
    assert names(hanyin) == before


def test_what_is_not_installed_offers_nothing(hanyin: County) -> None:
    switch(hanyin, nowhere=True)
    with hanyin.uow() as uow:
        offer = offer_of(uow)
        assert "nowhere" in enabled_names(uow)
        assert [c.key for c in offer.contributors] == [c.key for c in hanyin.runtime.registry.contributors if c.core]
        assert offer_of(uow) is offer


def test_without_a_runtime_the_core_is_offered(runtime: Runtime, hanyin: County) -> None:
    engine = make_engine(runtime.settings.database_url)
    with Uow(engine, tenant_id=hanyin.info.id, actor=system_actor(hanyin.info.id)) as uow:
        assert {c.key for c in offer_of(uow).contributors} >= {"households", "cockpit"}
    engine.dispose()
