"""A list's state is its URL: every neighbouring state is an address, and nothing in the URL is lost on the way."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from xiangyue.web.components import Column, Filter, FormView, JobCard, ListView

COLUMNS = (
    Column("name", "Name", sort=True, primary=True),
    Column("size", "People", sort=True, numeric=True),
    Column("note", "Note", default=False),
)
FILTERS = (Filter("colour", "Colour", choices=[("red", "Red")]), Filter("q", "Name", kind="text"))


def view(*args: tuple[str, str], **more: Any) -> ListView:
    given: Any = {"default_sort": "name", "export_url": "/x/export", **more}
    return ListView(columns=COLUMNS, filters=FILTERS, args=MultiDict(args), path="/x", **given)


def test_sort_comes_from_the_url_and_falls_back_to_the_default() -> None:
    assert view().sort == ("name", False)
    assert view(("sort", "-size")).sort == ("size", True)
    assert view(("sort", "note")).sort == ("name", False), "a column without an order"
    assert view(("sort", "x; drop")).sort == ("name", False)
    assert view(default_sort="-size").sort == ("size", True)


def test_sorting_again_turns_the_order_and_leaves_the_page() -> None:
    assert view(("area", "610921"), ("after", "c1")).sort_url("size") == "/x?area=610921&sort=size"
    assert view(("sort", "size")).sort_url("size") == "/x?sort=-size"
    assert view(("sort", "-size")).sort_url("size") == "/x?sort=size"
    assert view(("sort", "-size")).sort_state("size") == "descending"
    assert view().sort_state("size") == "none"


def test_columns_are_chosen_in_the_lists_own_order_and_the_headline_stays() -> None:
    def shown(*args: tuple[str, str]) -> list[str]:
        return [c.key for c in view(*args).visible]

    assert shown() == ["name", "size"]
    assert shown(("cols", "note")) == ["name", "note"]
    assert shown(("cols", "note,size")) == ["name", "size", "note"]
    assert shown(("cols", "note"), ("cols", "size")) == ["name", "size", "note"]
    assert shown(("cols", "gone")) == ["name", "size"]


def test_paging_keeps_filters_and_order() -> None:
    first = view(("colour", "red"), ("sort", "-name"), next_cursor="c2")
    assert first.next_url == "/x?colour=red&sort=-name&after=c2"
    assert first.back_url is None
    second = view(("colour", "red"), ("after", "c2"), back_cursor="c1")
    assert second.back_url == "/x?colour=red&before=c1"
    assert second.cursor == ("after", "c2")
    assert first.cursor == (None, None)


def test_filters_say_what_is_on_and_come_off_one_by_one() -> None:
    both = view(("colour", "red"), ("q", "wang"), ("area", "1"), ("after", "c"))
    assert [(c.label, c.value, c.url) for c in both.chips] == [
        ("Colour", "Red", "/x?q=wang&area=1"),
        ("Name", "wang", "/x?colour=red&area=1"),
    ]
    assert both.filtered
    assert both.clear_url == "/x?area=1"
    assert not view(("colour", " "), ("area", "1")).filtered, "a blank condition is none"


def test_export_is_of_exactly_what_is_shown() -> None:
    now = view(("colour", "red"), ("sort", "size"), ("cols", "note"), ("after", "c"))
    assert now.export_link == "/x/export?colour=red&sort=size&cols=note"


def test_the_filter_form_carries_the_rest_of_the_url() -> None:
    now = view(("colour", "red"), ("sort", "size"), ("area", "1"), ("after", "c"))
    assert now.carried(*now.filter_names) == [("sort", "size"), ("area", "1")]


def test_plain_mappings_are_taken_too() -> None:
    assert ListView(columns=COLUMNS, args={"sort": "size"}, path="/x").sort == ("size", False)


def test_form_problems_follow_the_fields_and_end_with_the_rest() -> None:
    form = FormView(errors={"": ["Whole"], "b": ["B is wrong"], "a.c": ["C is wrong"], "ok": []})
    form.note("a.c", "C")
    form.note("b", "B")
    assert form.problems == [
        ("form-a-c", "C", ["C is wrong"]),
        ("form-b", "B", ["B is wrong"]),
        ("", "", ["Whole"]),
    ]


def test_listed_values_from_any_kind_of_values() -> None:
    assert FormView(values=MultiDict([("m", "a"), ("m", "b")])).listed("m") == ["a", "b"]
    assert FormView(values={"m": [1, 2]}).listed("m") == ["1", "2"]
    assert FormView(values={"m": "a"}).listed("m") == ["a"]
    assert FormView(values={"m": None}).listed("m") == []


def test_job_progress() -> None:
    assert JobCard(1, "t", "running", "/j", done=1, total=3).percent == 33
    assert JobCard(1, "t", "running", "/j").percent is None
    assert JobCard(1, "t", "done", "/j").percent == 100
    assert JobCard(1, "t", "failed", "/j").final
