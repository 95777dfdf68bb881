"""A plugin's calls: whatever it does in one, the core goes on, nothing half done stays, and the fault stands there."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from tests.plugins_kit import planted

from xiangyue.access.actor import system_actor
from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Scope
from xiangyue.db.session import TenantSession
from xiangyue.db.sql import scoped_rows, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import Refused
from xiangyue.features.areas.models import Area
from xiangyue.plugin import dispatch
from xiangyue.plugin import faults as module_of_faults
from xiangyue.plugin.dispatch import gather, guarded, veto
from xiangyue.plugin.models import PluginFault, TenantPlugin
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import SearchKind
from xiangyue.runtime import offer_of
from xiangyue.tenancy.enablement import plugins_changed
from xiangyue.testing.fixtures import County

_numbers = itertools.count(1)
PERSONAL = "Zhang San"


@contextmanager
def switched_on(county: County, **attributes: Any) -> Iterator[str]:
    """A planted plugin with a name of its own, on in the county."""
    name = f"planted{next(_numbers)}"
    with planted(county.runtime, name, **attributes) as installed:
        assert installed.ready, str(installed.reason)
        with county.uow() as uow:
            plugins_changed(uow)
            uow.session.add(TenantPlugin(name=name, enabled=True, position=next(_numbers)))
        yield name


def contributor_of(uow: Uow, name: str) -> Contributor:
    return next(c for c in offer_of(uow).contributors if c.key == name)


def faults(county: County, name: str) -> list[PluginFault]:
    with county.uow() as uow:
        return list(uow.session.scalars(select(PluginFault).where(PluginFault.plugin == name)))


def run(county: County, call: Callable[[Uow], Any], **options: Any) -> tuple[Any, list[PluginFault]]:
    """The answer of one guarded call that stands between two writes of the core, and the faults it left."""
    mark = f"mark{next(_numbers)}"
    with switched_on(county) as name:
        with county.uow() as uow:
            area = uow.session.scalars(select(Area).order_by(Area.area_code).limit(1)).one()
            area.name_en = f"{mark} before"
            answer = guarded(
                uow, contributor_of(uow, name), "points:x", lambda: call(uow), **{"default": "left out", **options}
            )
            # The core goes on in the same transaction, with its own time for statements.
            shown = scoped_rows(
                uow.session,
                "SELECT current_setting('statement_timeout'), a.name_en FROM area a WHERE {tenant:a} AND a.id = :id",
                {"id": area.id},
            )
            assert shown == [("2min", f"{mark} before")]
            area.name_en = f"{mark} after"
        with county.uow() as uow:
            assert uow.session.scalars(select(Area.name_en).where(Area.id == area.id)).one() == f"{mark} after"
        return answer, faults(county, name)


def raises(_uow: Uow) -> None:
    raise ValueError(PERSONAL)


def exits(_uow: Uow) -> None:
    raise SystemExit(3)


def recurses(uow: Uow) -> None:
    recurses(uow)


def bad_sql(uow: Uow) -> None:
    scoped_sql(uow.session, "SELECT a.nothing FROM area a WHERE {tenant:a}")


def bad_driver_sql(uow: Uow) -> None:
    scoped_rows(uow.session, "SELECT a.nothing FROM area a WHERE {tenant:a}")


def bad_value(uow: Uow) -> None:
    scoped_sql(uow.session, "SELECT a.id FROM area a WHERE {tenant:a} AND a.id = CAST(:v AS int)", {"v": PERSONAL})


def bad_write(uow: Uow) -> None:
    uow.session.add(
        Area(area_code=1, parent_code=0, level="nonsense", kind="x", name="x", official_name="", sort_key="")
    )


def swallows(uow: Uow) -> str:
    with suppress(Exception):
        bad_sql(uow)
    return "all is well"


def commits(uow: Uow) -> None:
    uow.commit()


def rolls_back(uow: Uow) -> None:
    uow.session.rollback()


def driver_of(uow: Uow) -> Any:
    return uow.session.connection().connection.driver_connection


def ends_by_connection(what: str) -> Callable[[Uow], Any]:
    def ends(uow: Uow) -> None:
        getattr(uow.session.connection(), what)()

    ends.__name__ = f"connection_{what}"
    return ends


def ends_by_driver(what: str) -> Callable[[Uow], Any]:
    def ends(uow: Uow) -> None:
        getattr(driver_of(uow), what)()

    ends.__name__ = f"driver_{what}"
    return ends


def ends_by_session(what: str) -> Callable[[Uow], Any]:
    def ends(uow: Uow) -> None:
        getattr(uow.session, what)()

    ends.__name__ = f"session_{what}"
    return ends


def says(sql: str) -> Callable[[Uow], Any]:
    def said(uow: Uow) -> None:
        uow.session.execute(text(sql))

    return said


def says_to_driver(uow: Uow) -> None:
    driver_of(uow).execute(b"SELECT 1; ROLLBACK")


def says_to_cursor(uow: Uow) -> None:
    with uow.session.connection().connection.cursor() as cursor:
        cursor.executemany("SET LOCAL app.tenant_id = '5'", [()])


def leaves_in_a_block(uow: Uow) -> None:
    with driver_of(uow):
        pass


def changes_scope(uow: Uow) -> None:
    uow.set_scope(Scope(uow.tenant_id))


def changes_county(uow: Uow) -> None:
    uow.session.info["scope"] = Scope(5)
    uow.session.execute(select(Area.id))


def loses_county(uow: Uow) -> None:
    uow.session.info.clear()


def changes_actor(uow: Uow) -> None:
    uow.actor = system_actor(uow.tenant_id)


def changes_session(uow: Uow) -> None:
    uow.session = TenantSession(uow.bind, Scope(5))


def keeps_errors(uow: Uow) -> None:
    uow.commit_on_error = True


def _refused(what: str) -> str:
    return f"Misuse: {what}() inside a hook: the transaction is its caller's"


FAILING = {
    **{
        ends_by_connection(what): _refused(what)
        for what in (
            "commit",
            "rollback",
            "close",
            "invalidate",
            "detach",
            "get_transaction",
            "execution_options",
        )
    },
    **{ends_by_driver(what): _refused(what) for what in ("commit", "rollback", "close")},
    **{
        ends_by_session(what): _refused(what)
        for what in (
            "begin",
            "close",
            "reset",
            "invalidate",
            "expunge_all",
            "get_transaction",
        )
    },
    lambda uow: uow.close(): _refused("close"),
    leaves_in_a_block: _refused("commit"),
    says("SET LOCAL search_path = pg_temp"): "Misuse: SET inside a hook: it may read and write rows, no more",
    says("ROLLBACK"): "Misuse: ROLLBACK inside a hook",
    says("RELEASE sa_savepoint_1"): "Misuse: RELEASE inside a hook",
    says("CREATE TEMP TABLE area ()"): "Misuse: CREATE inside a hook",
    says_to_driver: "Misuse: ROLLBACK inside a hook",
    says_to_cursor: "Misuse: SET inside a hook",
    changes_scope: "Misuse: scope was changed inside a hook and left so",
    changes_county: "Misuse: scope was changed inside a hook and left so",
    loses_county: "Misuse: scope was changed inside a hook and left so",
    changes_actor: "Misuse: actor was changed inside a hook and left so",
    changes_session: "Misuse: session was changed inside a hook and left so",
    keeps_errors: "Misuse: commit_on_error was changed inside a hook and left so",
    raises: "ValueError",
    exits: "SystemExit",
    recurses: "RecursionError: maximum recursion depth exceeded",
    bad_sql: "UndefinedColumn: column a.nothing does not exist [42703]",
    bad_driver_sql: "UndefinedColumn: column a.nothing does not exist [42703]",
    bad_value: "InvalidTextRepresentation [22P02]",
    bad_write: "CheckViolation [23514]",
    swallows: "Misuse: an error of the database was swallowed, so nothing of it was kept",
    commits: "Misuse: commit() inside a hook: the transaction is its caller's",
    rolls_back: "Misuse: rollback() inside a hook: the transaction is its caller's",
}


@pytest.mark.parametrize("call", FAILING, ids=lambda call: call.__name__)
def test_what_fails_is_left_out_and_named(hanyin: County, call: Callable[[Uow], Any]) -> None:
    answer, (fault,) = run(hanyin, call)
    assert answer == "left out"
    assert fault.error.startswith(FAILING[call])
    assert fault.hook == "points:x"
    names = {call.__name__, call.__code__.co_name}
    assert any(name in fault.trace for name in names) or call in (bad_write, swallows) or "left so" in fault.error
    assert PERSONAL not in fault.error + fault.trace


def test_a_hook_may_have_savepoints_of_its_own(hanyin: County) -> None:
    def write(uow: Uow, position: int) -> None:
        scoped_sql(uow.session, f"UPDATE area a SET position = {position} WHERE {{tenant:a}} AND a.level = 'county'")

    def tries(uow: Uow) -> str:
        with uow.session.begin_nested():
            write(uow, 61)
        with suppress(SQLAlchemyError), uow.session.begin_nested():
            write(uow, 62)
            bad_sql(uow)
        uow.session.begin_nested()
        write(uow, 63)
        return "done"

    assert run(hanyin, tries) == ("done", [])
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Area.position).where(Area.level == "county")).one() == 63


def gives_connection_back(uow: Uow) -> None:
    uow.session.connection().connection.close()


def throws_connection_away(uow: Uow) -> None:
    uow.session.connection().connection.invalidate()


def hangs_up(uow: Uow) -> None:
    driver_of(uow).pgconn.finish()


def ends_beneath(uow: Uow) -> None:
    driver_of(uow).pgconn.exec_(b"ROLLBACK")


def ends_from_a_savepoint(uow: Uow) -> None:
    uow.session.begin_nested().parent.parent.rollback()


def ends_from_a_savepoint_and_goes_on(uow: Uow) -> None:
    with suppress(Exception):
        ends_from_a_savepoint(uow)
    uow.session.execute(select(Area.id).limit(1))


def ends_beneath_and_refuses(uow: Uow) -> None:
    ends_beneath(uow)
    raise Refused("No.")


@pytest.mark.parametrize(
    "call",
    [
        gives_connection_back, throws_connection_away, hangs_up, ends_beneath, ends_from_a_savepoint,
        ends_from_a_savepoint_and_goes_on,
        ends_beneath_and_refuses,
    ],
    ids=lambda call: call.__name__,
)  # fmt: skip
def test_one_that_ends_the_transaction_all_the_same_does_so_once(hanyin: County, call: Callable[[Uow], Any]) -> None:
    def request() -> Any:
        with hanyin.uow() as uow:
            uow.session.scalars(select(Area).where(Area.level == "county")).one().position = next(_numbers) + 100
            return guarded(uow, contributor_of(uow, name), "points:x", lambda: call(uow), default="left out")

    with switched_on(hanyin) as name:
        before = position(hanyin)
        with pytest.raises(Exception, match=r".") as lost:
            request()
        assert not isinstance(lost.value, Refused)
        # Nothing of the caller's work is kept by halves, and the next one lives and tells why.
        assert position(hanyin) == before
        (fault,) = faults(hanyin, name)
        assert fault.error.startswith("The transaction was lost: ")
        assert request() == "left out"
        assert position(hanyin) > 100


def position(county: County) -> int:
    with county.uow() as uow:
        return uow.session.scalars(select(Area.position).where(Area.level == "county")).one()


def test_what_a_hook_leaves_to_be_done_is_guarded_too(hanyin: County) -> None:
    done = []

    def leave(uow: Uow) -> None:
        for queue in (uow.before_commit, uow.after_commit, uow.at_end):
            queue(lambda: done.append("first"))
            queue(lambda: raises(uow))
            queue(lambda: done.append("last"))
        uow.before_commit(lambda: bad_sql(uow))
        uow.after_commit(sys.exit)

    with switched_on(hanyin) as name:
        with hanyin.uow() as uow:
            guarded(uow, contributor_of(uow, name), "points:x", lambda: leave(uow))
            uow.session.scalars(select(Area).where(Area.level == "county")).one().position = 41
        assert done == ["first", "last"] * 3
        assert position(hanyin) == 41
        found = {fault.error.split(" ")[0] for fault in faults(hanyin, name)}
        assert found == {"ValueError", "UndefinedColumn:", "SystemExit"}


def test_what_succeeds_is_kept(hanyin: County) -> None:
    def write(uow: Uow) -> str:
        scoped_sql(uow.session, "UPDATE area a SET position = 77 WHERE {tenant:a} AND a.level = 'county'")
        uow.session.scalars(select(Area).where(Area.level == "county")).one().kind = "county"
        return "done"

    assert run(hanyin, write) == ("done", [])
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Area.position).where(Area.level == "county")).one() == 77


def test_none_is_an_answer_and_nonsense_is_not(hanyin: County) -> None:
    assert run(hanyin, lambda uow: None, expect=str) == (None, [])
    answer, (fault,) = run(hanyin, lambda uow: {"what": 1}, expect=(str, list))
    assert answer == "left out"
    assert fault.error.startswith("Nonsense: answered dict, not str or list")


def test_what_a_failed_call_left_to_do_is_forgotten(hanyin: County) -> None:
    done = []

    def leave(uow: Uow) -> None:
        uow.after_commit(lambda: done.append("plugin"))
        uow.session.add(
            Area(
                area_code=610921999999999,
                name="ghost",
                level="group",
                kind="x",
                parent_code=0,
                official_name="",
                sort_key="",
            )
        )
        uow.session.info["flag"] = True
        raise KeyError("x")

    with switched_on(hanyin) as name, hanyin.uow() as uow:
        uow.after_commit(lambda: done.append("core"))
        guarded(uow, contributor_of(uow, name), "points:x", lambda: leave(uow))
        assert "flag" not in uow.session.info
    assert done == ["core"]
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Area.id).where(Area.name == "ghost")).all() == []


def test_what_was_only_changed_in_memory_is_undone_too(hanyin: County) -> None:
    def change(uow: Uow) -> None:
        county.name_en = "Plugin's"
        uow.session.delete(town)
        raise KeyError("x")

    with switched_on(hanyin) as name, hanyin.uow() as uow:
        county = uow.session.scalars(select(Area).where(Area.level == "county")).one()
        town = uow.session.scalars(select(Area).where(Area.level == "town").limit(1)).one()
        was = county.name_en
        guarded(uow, contributor_of(uow, name), "points:x", lambda: change(uow))
        assert (county.name_en, list(uow.session.deleted)) == (was, [])


def test_one_plugin_inside_another(hanyin: County) -> None:
    def write(uow: Uow, words: str) -> str:
        scoped_sql(uow.session, "UPDATE area a SET name_en = :w WHERE {tenant:a} AND a.level = 'county'", {"w": words})
        return words

    def both(uow: Uow, inner: Callable[[], Any], *, fail: bool) -> list[Any]:
        answers = [guarded(uow, second, "points:inner", inner, default="left out"), write(uow, "outer")]
        if fail:
            raise ValueError
        return answers

    def now(uow: Uow) -> tuple[str, str]:
        rows = scoped_rows(
            uow.session,
            "SELECT current_setting('statement_timeout'), a.name_en FROM area a"
            " WHERE {tenant:a} AND a.level = 'county'",
        )
        return rows[0]

    with switched_on(hanyin) as one, switched_on(hanyin) as two, hanyin.uow() as uow:
        first, second = contributor_of(uow, one), contributor_of(uow, two)
        write(uow, "core")
        for inner, answer in ((lambda: write(uow, "inner"), "inner"), (lambda: bad_sql(uow), "left out")):
            gone = guarded(uow, first, "points:outer", lambda i=inner: both(uow, i, fail=True), default="left out")
            assert (gone, now(uow)) == ("left out", ("2min", "core"))
            kept = guarded(uow, first, "points:outer", lambda i=inner: both(uow, i, fail=False))
            assert (kept, now(uow)) == ([answer, "outer"], ("2min", "outer"))
            write(uow, "core")
        slow = guarded(uow, first, "points:slow", lambda: both(uow, lambda: sleeps(uow), fail=False), seconds=0.3)
        # The outer one's time is up: it is the one to blame.
        assert (slow, now(uow)) == (None, ("2min", "core"))
        assert dispatch.is_paused(uow, one, "points:slow")
        assert not dispatch.is_paused(uow, two, "points:inner")


def busy(_uow: Uow) -> None:
    while True:
        pass


def busy_with_handler(_uow: Uow) -> None:
    while True:
        with suppress(Exception):
            sum(range(1000))


def sleeps_in_sql(uow: Uow) -> None:
    uow.session.execute(text("SELECT pg_sleep(30)"))


def sleeps(_uow: Uow) -> None:
    time.sleep(30)


def asks_for_ever(uow: Uow) -> None:
    while True:
        uow.session.execute(select(Area.id).limit(1))


@pytest.mark.parametrize(
    "call", [busy, busy_with_handler, sleeps_in_sql, sleeps, asks_for_ever], ids=lambda c: c.__name__
)
def test_what_hangs_is_stopped(hanyin: County, call: Callable[[Uow], Any]) -> None:
    begun = time.monotonic()
    answer, (fault,) = run(hanyin, call)
    assert answer == "left out"
    assert time.monotonic() - begun < 4
    assert fault.error.startswith(("OutOfTime: more than 2 s", "QueryCanceled: canceling statement due to"))


def test_a_hook_that_hung_is_left_alone_for_a_while(hanyin: County, tongyu: County) -> None:
    calls = []

    def slow() -> str:
        calls.append(1)
        time.sleep(0.3)
        return "late"

    with switched_on(hanyin) as name:
        with hanyin.uow() as uow:
            who = contributor_of(uow, name)
            for _ in range(3):
                guarded(uow, who, "points:slow", slow, seconds=0.1)
            assert len(calls) == 1
            assert guarded(uow, who, "points:other", lambda: "here") == "here"
            dispatch.unpause(uow, name)
            guarded(uow, who, "points:slow", slow, seconds=0.1)
            assert len(calls) == 2
        with tongyu.uow() as uow:
            assert guarded(uow, who, "points:slow", lambda: "other county") == "other county"


def test_the_same_fault_is_counted_and_seldom_written(hanyin: County, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> PluginFault:
        with hanyin.uow() as uow:
            guarded(uow, contributor_of(uow, name), "points:x", lambda: raises(uow))
        (fault,) = faults(hanyin, name)
        return fault

    with switched_on(hanyin) as name:
        assert [fail().count for _ in range(3)] == [1, 1, 1]
        monkeypatch.setattr(module_of_faults, "EVERY_SECONDS", 0.0)
        fault = fail()
        assert fault.count == 4
        assert fault.last_at > fault.first_at


def test_a_fault_outlives_the_rollback(hanyin: County) -> None:
    with switched_on(hanyin) as name:
        with hanyin.uow() as uow:
            guarded(uow, contributor_of(uow, name), "points:x", lambda: raises(uow))
            uow.rollback()
        assert len(faults(hanyin, name)) == 1


def test_the_core_s_own_faults_are_not_hidden(hanyin: County) -> None:
    with hanyin.uow() as uow:
        core = offer_of(uow).contributors[0]
        with pytest.raises(ValueError, match="Zhang"):
            guarded(uow, core, "points:x", lambda: raises(uow))


def test_each_registration_is_asked_by_itself_of_those_one_may_see(hanyin: County) -> None:
    see = [Permission(f"planted{n}.see", "See") for n in range(2)]

    def kinds(name: str, permission: Permission | None, find: Any) -> SearchKind:
        return SearchKind(f"{name}_things", "Things", permission, find)

    name = f"planted{next(_numbers) + 1}"
    good = kinds(name, None, lambda uow, q, limit: [q])
    with switched_on(hanyin, register_search_kinds=(good,)) as first:
        assert first == name
        name = f"planted{next(_numbers) + 1}"
        bad = kinds(name, None, lambda uow, q, limit: 1 / 0)
        with switched_on(hanyin, register_search_kinds=(bad,)) as second:
            own = Permission(f"planted{next(_numbers) + 1}.see", "See")
            hidden = kinds(own.name.partition(".")[0], own, lambda uow, q, limit: [q])
            with switched_on(hanyin, register_permissions=(own,), register_search_kinds=(hidden,)) as third:
                with hanyin.uow(hanyin.actor(*see)) as uow:
                    found = gather(uow, offer_of(uow), "search_kinds", lambda k: k.find(uow, "x", 1), expect=list)
                    assert [(c.key, answer) for c, _kind, answer in found if not c.core] == [(first, ["x"])]
                with hanyin.uow(hanyin.actor(own)) as uow:
                    found = gather(uow, offer_of(uow), "search_kinds", lambda k: k.find(uow, "x", 1), expect=list)
                    assert [c.key for c, _kind, _answer in found if not c.core] == [first, third]
                assert faults(hanyin, second)[0].error.startswith("ZeroDivisionError: division by zero")


HOOK = "household_change_requested"


def ask(county: County) -> None:
    with county.uow() as uow:
        veto(uow, HOOK, household_id=7, changes={"note": "x"})


def test_a_plugin_may_refuse_an_act(hanyin: County, tongyu: County) -> None:
    asked = []

    def agrees(uow: Uow, household_id: int) -> None:
        asked.append(household_id)

    def refuses(changes: dict[str, Any]) -> None:
        if "note" in changes:
            raise Refused("Write the note out.")

    with switched_on(hanyin, household_change_requested=agrees) as first:
        ask(hanyin)
        with switched_on(hanyin, household_change_requested=refuses) as second:
            with pytest.raises(Refused) as refusal:
                ask(hanyin)
            ask(tongyu)
            assert (refusal.value.plugin, str(refusal.value.reason)) == (second, "Write the note out.")
            assert f"Plugin {second}" in str(refusal.value)
            assert str(refusal.value).endswith("Write the note out.")
            assert (faults(hanyin, first), faults(hanyin, second)) == ([], [])
    assert asked == [7, 7]


def test_one_that_fails_when_asked_refuses(hanyin: County) -> None:
    def crashes(uow: Uow) -> None:
        bad_sql(uow)

    with switched_on(hanyin, household_change_requested=crashes) as name:
        with pytest.raises(Refused) as refusal:
            ask(hanyin)
        assert refusal.value.plugin == name
        assert faults(hanyin, name)[0].hook == HOOK


def test_one_that_hangs_when_asked_refuses_and_goes_on_refusing(hanyin: County) -> None:
    calls = []

    def hangs() -> None:
        calls.append(1)
        time.sleep(30)

    with switched_on(hanyin, household_change_requested=hangs):
        for _ in range(2):
            with pytest.raises(Refused):
                ask(hanyin)
        assert calls == [1]


def test_an_answer_that_means_nothing_is_no_refusal(hanyin: County) -> None:
    with switched_on(hanyin, household_change_requested=lambda uow: False) as name:
        ask(hanyin)
        assert "raise Refused to prevent the act" in faults(hanyin, name)[0].error
