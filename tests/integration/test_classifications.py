"""Proposals are computed set by set and never touch what is in force; decisions go step by step."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.integration import classifications_kit
from tests.integration.classifications_kit import (
    EVERY_RIGHT,
    KEY,
    OTHER_TOWN,
    RULE,
    SEE,
    TOWN,
    TOWN_STEP,
    VILLAGE,
    VILLAGE_STEP,
    compute,
    computed_county,  # noqa: F401 - a fixture
    events_of,
    home_of,
    judge,
    put_in_force,
    row_of,
)
from tests.plugins_kit import planted, switch

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Stale, XiangyueError
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.list_query import ListFilter
from xiangyue.features.classifications.models import Classification
from xiangyue.features.classifications.policy import CLASSIFICATION_COMPUTE, CLASSIFICATION_VIEW
from xiangyue.features.classifications.rules import Reader, months_later
from xiangyue.features.classifications.service import confirm_many, decide, reopen
from xiangyue.features.classifications.service_compute import compute_area, compute_household, mark_due_reviews
from xiangyue.features.households.models import Household, HouseholdIncome
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.service import edit_household
from xiangyue.jobs.models import Job
from xiangyue.jobs.run import run_with
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import Input
from xiangyue.testing.fixtures import County
from xiangyue.testing.statements import paused


def proposals(county: County) -> dict[str, str]:
    with county.uow() as uow:
        rows = uow.session.execute(
            select(Household.head_name, Classification.proposed).join(
                Classification,
                (Classification.tenant_id == Household.tenant_id) & (Classification.household_id == Household.id),
            )
        )
        return dict(rows.all())


def set_income(county: County, name: str, amount: int) -> None:
    home = home_of(county, name)
    with county.uow() as uow:
        uow.session.execute(update(HouseholdIncome).where(HouseholdIncome.household_id == home).values(amount=amount))


def test_a_county_is_computed_with_inputs_and_clause(county: County) -> None:
    assert proposals(county) == {
        "富有": "green", "恰好": "green", "两难": "open", "清贫": "yellow", "患病": "red", "未报": "open",
        "邻村": "yellow", "远乡": "yellow",
    }  # fmt: skip
    row = row_of(county, "患病")
    assert (row.clause, row.rule_version, row.state, row.outcome) == ("illness", "2021", "proposed", "")
    assert row.inputs == {"income": 30_000, "line": 20_000, "ill": ["患病"]}
    assert row_of(county, "未报").inputs == {"income": None, "line": 20_000}
    assert [row_of(county, name).clause for name in ("两难", "未报")] == ["gap", "missing"]


def test_computing_again_writes_nothing(county: County) -> None:
    before = {name: row_of(county, name) for name in ("富有", "患病")}
    assert compute(county) == {"households": 8, "changed": 0, "added": 0, "lapsed": 0}
    for name, row in before.items():
        after = row_of(county, name)
        assert (after.version, after.computed_at, after.updated_at) == (row.version, row.computed_at, row.updated_at)


def test_only_what_differs_is_written(county: County) -> None:
    set_income(county, "清贫", 8_000)
    assert compute(county)["changed"] == 1
    assert row_of(county, "清贫").inputs["income"] == 8_000
    assert (row_of(county, "清贫").version, row_of(county, "邻村").version) == (2, 1)


def test_an_area_alone(county: County) -> None:
    RULE["line"] = 40_000
    assert compute(county, area=OTHER_TOWN) == {"households": 1, "changed": 1, "added": 0, "lapsed": 0}
    assert compute(county, area=VILLAGE)["households"] == 6
    assert row_of(county, "邻村").inputs["line"] == 20_000
    with county.uow(county.actor(CLASSIFICATION_COMPUTE, area=TOWN)) as uow:
        assert compute_area(uow, classifier=KEY).households == 7
    with county.uow(county.actor(CLASSIFICATION_COMPUTE, area=VILLAGE + 1)) as uow, pytest.raises(Conflict):
        compute_area(uow, classifier=KEY)
    with county.uow(county.actor(CLASSIFICATION_VIEW)) as uow, pytest.raises(Forbidden):
        compute_area(uow, classifier=KEY)


def test_one_household_after_a_change(county: County) -> None:
    set_income(county, "清贫", 50_000)
    set_income(county, "邻村", 50_000)
    with county.uow(county.actor(HOUSEHOLD_EDIT, area=VILLAGE)) as uow:
        found = compute_household(uow, household_id=home_of(county, "清贫"))
    assert found.numbers() == {"households": 1, "changed": 1, "added": 0, "lapsed": 0}
    assert (row_of(county, "清贫").proposed, row_of(county, "邻村").proposed) == ("green", "yellow")


def test_two_steps_put_an_outcome_in_force(county: County) -> None:
    row = judge(county, "清贫", "village", "yellow")
    assert (row.state, row.step, row.chosen, row.outcome) == ("proposed", 1, "yellow", "")
    row = judge(county, "清贫", "town", "yellow")
    assert (row.state, row.step, row.outcome, row.answered) == ("in_force", 0, "yellow", "yellow")
    assert (row.valid_from, row.valid_to) == (today(), None)
    assert row.review_due is not None
    assert (row.review_due.year, row.review_due.month) == (today().year + 1, today().month)
    made = events_of(county, "清贫")
    assert [(e.event, e.step, e.outcome, e.state) for e in made] == [
        ("confirmed", "village", "yellow", "proposed"),
        ("confirmed", "town", "yellow", "in_force"),
    ]
    assert made[1].inputs == {"income": 9_000, "line": 20_000}
    assert (made[1].clause, made[1].actor_name) == ("income", "tester")


@pytest.mark.parametrize(
    ("name", "step", "outcome", "note", "error", "field"),
    [
        ("清贫", "town", "yellow", "", Conflict, ""),
        ("清贫", "elsewhere", "yellow", "", Invalid, "step"),
        ("清贫", "village", "green", "", Invalid, "note"),
        ("清贫", "village", "green", "  ", Invalid, "note"),
        ("清贫", "village", "purple", "x", Invalid, "outcome"),
        ("两难", "village", "open", "", Invalid, "outcome"),
        ("两难", "village", "yellow", "", Invalid, "note"),
        ("清贫", "village", "green", "x" * 501, Invalid, "note"),
    ],
)
def test_what_cannot_be_decided(
    county: County, name: str, step: str, outcome: str, note: str, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as caught:
        judge(county, name, step, outcome, note=note)
    if isinstance(caught.value, Invalid):
        assert list(caught.value.fields) == [field]
    assert events_of(county, name) == []


def test_what_the_rule_leaves_open_a_person_decides_with_a_reason(county: County) -> None:
    row = put_in_force(county, "两难", "yellow", note="村民代表会议议定")
    assert (row.outcome, row.answered, row.answered_clause) == ("yellow", "open", "gap")
    assert [(e.event, e.note) for e in events_of(county, "两难")] == [
        ("otherwise", "村民代表会议议定"),
        ("confirmed", ""),
    ]
    with county.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "classification.otherwise")).one()
    assert entry.after == {"classifier": KEY, "step": "village", "outcome": "yellow", "state": "proposed"}


def test_the_same_proposal_again_is_no_news_another_is_and_what_is_in_force_stays(county: County) -> None:
    put_in_force(county, "两难", "yellow", note="议定")
    set_income(county, "两难", 17_000)
    compute(county)
    row = row_of(county, "两难")
    assert (row.state, row.outcome, row.inputs["income"]) == ("in_force", "yellow", 17_000)
    set_income(county, "两难", 60_000)
    compute(county)
    row = row_of(county, "两难")
    assert (row.state, row.outcome, row.proposed, row.answered) == ("differs", "yellow", "green", "open")
    assert events_of(county, "两难")[-1].event == "differs"
    row = judge(county, "两难", "village", "green")
    assert (row.state, row.outcome, row.step) == ("differs", "yellow", 1)
    row = judge(county, "两难", "town", "green")
    assert (row.state, row.outcome, row.answered) == ("in_force", "green", "green")


def test_a_proposal_that_comes_round_again_needs_no_decision(county: County) -> None:
    put_in_force(county, "清贫", "yellow")
    set_income(county, "清贫", 60_000)
    compute(county)
    judge(county, "清贫", "village", "green")
    set_income(county, "清贫", 9_000)
    compute(county)
    row = row_of(county, "清贫")
    assert (row.state, row.outcome, row.step, row.chosen) == ("in_force", "yellow", 0, "")
    assert [e.event for e in events_of(county, "清贫")] == ["confirmed", "confirmed", "differs", "confirmed", "reset"]


def test_a_new_proposal_in_the_middle_begins_the_steps_anew(county: County) -> None:
    judge(county, "清贫", "village", "yellow")
    set_income(county, "清贫", 8_500)
    compute(county)
    assert row_of(county, "清贫").step == 1
    set_income(county, "清贫", 60_000)
    compute(county)
    row = row_of(county, "清贫")
    assert (row.step, row.chosen, row.proposed, row.state) == (0, "", "green", "proposed")
    assert [e.event for e in events_of(county, "清贫")] == ["confirmed", "reset"]


def test_a_household_that_leaves_lapses_and_comes_back_as_a_proposal(county: County) -> None:
    put_in_force(county, "清贫", "yellow")
    with county.uow() as uow:
        uow.session.execute(update(Household).where(Household.head_name == "清贫").values(state="closed"))
    assert compute(county)["lapsed"] == 1
    row = row_of(county, "清贫")
    assert (row.state, row.outcome, row.valid_to) == ("lapsed", "yellow", today())
    with pytest.raises(Conflict):
        judge(county, "清贫", "village", "yellow")
    assert compute(county) == {"households": 7, "changed": 0, "added": 0, "lapsed": 0}
    with county.uow() as uow:
        uow.session.execute(update(Household).where(Household.head_name == "清贫").values(state="active"))
    compute(county)
    row = row_of(county, "清贫")
    assert (row.state, row.outcome, row.valid_from, row.valid_to) == ("proposed", "", None, None)
    assert events_of(county, "清贫")[-1].event == "lapsed"


def test_reviews_come_due_and_are_decided_again(county: County) -> None:
    row = put_in_force(county, "清贫", "yellow")
    assert row.review_due is not None
    with county.uow() as uow:
        assert mark_due_reviews(uow, on=row.review_due - timedelta(days=1)) == 0
        assert mark_due_reviews(uow, on=row.review_due) == 1
        assert mark_due_reviews(uow, on=row.review_due) == 0
    row = row_of(county, "清贫")
    assert (row.state, row.outcome) == ("due", "yellow")
    compute(county)
    assert row_of(county, "清贫").state == "due"
    row = put_in_force(county, "清贫", "yellow")
    assert (row.state, row.outcome) == ("in_force", "yellow")
    assert [e.event for e in events_of(county, "清贫")] == ["confirmed", "confirmed", "due", "confirmed", "confirmed"]


def test_opening_again_and_sending_back(county: County) -> None:
    everything = county.actor(*EVERY_RIGHT)
    row = judge(county, "清贫", "village", "yellow")
    with county.uow(everything) as uow:
        row = reopen(uow, id=row.id, version=row.version, note="核对收入")
    assert (row.state, row.step, row.chosen) == ("proposed", 0, "")
    with county.uow(everything) as uow, pytest.raises(Conflict):
        reopen(uow, id=row.id, version=row.version, note="再来")
    row = put_in_force(county, "清贫", "yellow")
    for note, error in (("", Invalid), ("x", Forbidden)):
        lesser = [p for p in EVERY_RIGHT if p is not TOWN_STEP]
        with county.uow(everything if error is Invalid else county.actor(*lesser)) as uow, pytest.raises(error):
            reopen(uow, id=row.id, version=row.version, note=note)
    with county.uow(everything) as uow:
        row = reopen(uow, id=row.id, version=row.version, note="群众有异议")
    assert (row.state, row.outcome) == ("reopened", "yellow")
    row = put_in_force(county, "清贫", "green", note="异议成立")
    assert (row.state, row.outcome, row.answered) == ("in_force", "green", "yellow")
    assert [e.event for e in events_of(county, "清贫")] == [
        "confirmed", "returned", "confirmed", "confirmed", "reopened", "otherwise", "confirmed",
    ]  # fmt: skip


def test_of_two_who_decide_at_once_one_is_told(county: County) -> None:
    seen = row_of(county, "清贫")
    judge(county, "清贫", "village", "yellow")
    with county.uow(county.actor(*EVERY_RIGHT)) as uow, pytest.raises(Stale) as caught:
        decide(uow, household_id=seen.household_id, classifier=KEY, step="village", outcome="yellow", version=1)
    assert caught.value.theirs == {"proposed": "yellow", "outcome": "", "state": "proposed", "step": 1, "version": 2}
    set_income(county, "邻村", 60_000)
    seen = row_of(county, "邻村")
    compute(county)
    with county.uow(county.actor(*EVERY_RIGHT)) as uow, pytest.raises(Stale):
        decide(
            uow, household_id=seen.household_id, classifier=KEY, step="village", outcome="yellow", version=seen.version
        )


def test_each_step_needs_its_right_where_the_household_lies(county: County) -> None:
    view = (CLASSIFICATION_VIEW, SEE)
    village = county.actor(*view, VILLAGE_STEP, area=VILLAGE)
    assert judge(county, "清贫", "village", "yellow", actor=village).step == 1
    with pytest.raises(Forbidden):
        judge(county, "清贫", "town", "yellow", actor=village)
    with pytest.raises(NotFound):
        judge(county, "邻村", "village", "yellow", actor=village)
    with pytest.raises(NotFound):
        judge(county, "邻村", "village", "yellow", actor=county.actor(CLASSIFICATION_VIEW, VILLAGE_STEP))
    with pytest.raises(Forbidden):
        judge(county, "邻村", "village", "yellow", actor=county.actor(SEE, VILLAGE_STEP))
    town = county.actor(*view, TOWN_STEP, area=TOWN)
    assert judge(county, "清贫", "town", "yellow", actor=town).state == "in_force"


def test_a_village_is_confirmed_together(county: County) -> None:
    actor = county.actor(CLASSIFICATION_VIEW, SEE, VILLAGE_STEP, area=VILLAGE)
    with county.uow(actor) as uow:
        done = confirm_many(uow, classifier=KEY, step="village", wanted=ListFilter())
    assert (len(done.ids), done.left, done.changed, done.more) == (4, 2, 0, 0)
    assert row_of(county, "邻村").step == 0
    assert row_of(county, "两难").step == 0
    assert [row_of(county, name).step for name in ("富有", "恰好", "清贫", "患病")] == [1, 1, 1, 1]
    with county.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "classification.confirm_many")).one()
    assert entry.after is not None
    assert (entry.after["rows"], sorted(entry.after["ids"])) == (4, sorted(done.ids))
    assert [e.event for e in events_of(county, "富有")] == ["confirmed"]


def test_only_what_was_seen_is_confirmed(county: County) -> None:
    rows = {name: row_of(county, name) for name in ("富有", "恰好", "清贫")}
    set_income(county, "富有", 5_000)
    compute(county)
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        done = confirm_many(
            uow, classifier=KEY, step="village", versions={row.id: row.version for row in rows.values()}
        )
    assert (len(done.ids), done.changed) == (2, 1)
    assert row_of(county, "富有").step == 0
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        as_of = row_of(county, "富有").updated_at - timedelta(microseconds=1)
        done = confirm_many(uow, classifier=KEY, step="village", wanted=ListFilter(outcome="yellow"), as_of=as_of)
    assert (len(done.ids), done.changed) == (2, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sql": "SELECT h.id AS household_id FROM household h WHERE {scope:h}"}, "UndefinedColumn"),
        ({"sql": "SELECT FROM household h WHERE {scope:h} nonsense"}, "SyntaxError"),
        ({"sql": "SELECT h.id FROM household h"}, "UnscopedSql"),
        ({"sql": "SELECT h.id FROM household h WHERE {scope:h}) q ), zz AS (DELETE FROM household"}, "Nonsense"),
        ({"sql": "SELECT h.id FROM household h WHERE {scope:h}; DELETE FROM household"}, "Nonsense"),
        ({"sql": "DELETE FROM household h WHERE {scope:h} RETURNING h.id"}, "Nonsense"),
        ({"sql": "SELECT h.id FROM household h WHERE {scope:h} --"}, "Nonsense"),
        ({"more": {"core_version": "x"}}, "参数名"),
        ({"sql": "SELECT h.id AS household_id, 'purple' AS outcome, '' AS clause, '{}'::jsonb AS inputs"
          " FROM household h WHERE {scope:h}"}, "结果未知 7 条"),
        ({"sql": "SELECT h.id AS household_id, 'red' AS outcome, 'no such' AS clause, '{}'::jsonb AS inputs"
          " FROM household h WHERE {scope:h}"}, "条款未知"),
        ({"sql": "SELECT h.id AS household_id, 'red' AS outcome, '' AS clause, '[]'::jsonb AS inputs FROM household h"
          " WHERE {scope:h}"}, "缺少依据"),
    ],
)  # fmt: skip
def test_a_rule_that_misbehaves_changes_nothing(county: County, change: dict[str, Any], words: str) -> None:
    before = proposals(county)
    RULE.update(change)
    with pytest.raises(XiangyueError, match=words), paused():
        compute(county)
    assert proposals(county) == before
    assert row_of(county, "富有").version == 1


def test_a_rule_is_asked_for_the_day_it_holds(county: County) -> None:
    with pytest.raises(Conflict):
        compute(county, on=date(2020, 12, 31))
    with county.uow() as uow, pytest.raises(NotFound):
        compute_area(uow, classifier="nobody.knows")


def test_it_moves_with_its_household(county: County) -> None:
    home = home_of(county, "清贫")
    with county.uow(county.actor(HOUSEHOLD_EDIT)) as uow:
        edit_household(uow, household_id=home, version=1, changes={"area_code": OTHER_TOWN + 200_000})
    assert row_of(county, "清贫").area_code == OTHER_TOWN + 200_000
    assert compute(county) == {"households": 8, "changed": 0, "added": 0, "lapsed": 0}


def test_the_other_county_has_none(county: County, tongyu: County) -> None:
    with tongyu.uow() as uow:
        assert compute_area(uow, classifier=KEY).households == 0
        with pytest.raises(NotFound):
            compute_household(uow, household_id=home_of(county, "清贫"))


def test_two_at_the_same_moment(county: County) -> None:
    """The second waits for the first, and is then told of it."""
    seen, results = row_of(county, "清贫"), []
    began = threading.Event()

    def second() -> None:
        began.set()
        try:
            decide_as(county, seen, "green", note="另有收入")
        except Stale as error:
            results.append(error)

    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        decide_in(uow, seen, "yellow")
        thread = threading.Thread(target=second)
        thread.start()
        began.wait(10)
    thread.join(30)
    assert len(results) == 1
    row = row_of(county, "清贫")
    assert (row.chosen, row.version, len(events_of(county, "清贫"))) == ("yellow", 2, 1)


def decide_in(uow: Any, seen: Classification, outcome: str, note: str = "") -> None:
    decide(
        uow,
        household_id=seen.household_id,
        classifier=KEY,
        step="village",
        outcome=outcome,
        version=seen.version,
        note=note,
    )


def decide_as(county: County, seen: Classification, outcome: str, note: str = "") -> None:
    with county.uow(county.actor(*EVERY_RIGHT)) as uow:
        decide_in(uow, seen, outcome, note)


def test_a_plugin_may_refuse_and_is_told_afterwards(county: County) -> None:
    def refuse(classifier: str, outcome: str, note: str) -> None:
        if classifier == KEY and outcome == "green" and not note:
            raise Refused("先入户核实")

    heard: list[tuple[str, str]] = []

    def hear(outcome: str, state: str) -> None:
        heard.append((outcome, state))

    hooks = {"classification_decision_requested": refuse, "classification_decision_happened": hear}
    with planted(county.runtime, "wary", **hooks):
        switch(county, "wary")
        try:
            with pytest.raises(Refused, match="先入户核实"):
                judge(county, "富有", "village", "green")
            assert (row_of(county, "富有").step, events_of(county, "富有")) == (0, [])
            with county.uow(county.actor(*EVERY_RIGHT)) as uow, pytest.raises(Refused):
                confirm_many(uow, classifier=KEY, step="village", wanted=ListFilter())
            judge(county, "清贫", "village", "yellow")
            with county.uow() as uow:
                jobs = list(uow.session.scalars(select(Job.id).where(Job.kind == "plugin.event")))
            assert [run_with(county.runtime, county.info.id, id) for id in jobs] == ["succeeded"]
            assert heard == [("yellow", "proposed")]
        finally:
            switch(county, "wary", False)


def test_months_until_the_review_may_be_the_countys(county: County) -> None:
    rule = classifications_kit.CLASSIFIER
    asked: list[Any] = []

    def months(answer: Any) -> Any:
        def ask(uow: Any) -> Any:
            asked.append(uow.tenant_id)
            return answer

        return ask

    offer = county.runtime.registry
    for name, answer, expected in (("清贫", 7, 7), ("富有", 0, 12), ("恰好", None, 12)):
        changed = replace(rule, review_months=months(answer))
        others = [c for c in offer.contributors if c.key != "shade"]
        offered = {"permissions": (SEE, VILLAGE_STEP, TOWN_STEP), "classifiers": (changed,)}
        offer.take([*others, Contributor("shade", classifications_kit, offered=offered)])
        row = put_in_force(county, name, row_of(county, name).proposed)
        assert row.review_due == months_later(today(), expected)
    assert asked == [county.info.id] * 3


def test_values_that_are_keys_have_words(county: County) -> None:
    declared = Input("why", "Why", "text", words={"gap": "The rule is silent"})
    rule = replace(classifications_kit.CLASSIFIER, inputs=(declared,))
    with county.uow() as uow:
        reader = Reader.of(uow, rule)
        (known,), (other,) = (reader.grounds({"why": value}, VILLAGE).shown for value in ("gap", "旧因"))
    assert (known.text, known.value, known.data) == ("The rule is silent", "gap", False)
    assert (other.text, other.data) == ("旧因", True)
