"""The conformance kit finds what is wrong with a plugin: each planted fault fails the test of its name."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.plugins_kit import describe, on_path

from xiangyue.app import create_app
from xiangyue.config import Settings
from xiangyue.features.plugins.kit import bake
from xiangyue.plugin.load import uninstall
from xiangyue.plugin.manager import Registry
from xiangyue.plugin.migrations import migrate_one
from xiangyue.runtime import FEATURES, Runtime
from xiangyue.testing.conformance import Kit, PluginConformance, prepared
from xiangyue.testing.conformance.code import CodeTests
from xiangyue.testing.conformance.facts import FactTests
from xiangyue.testing.fixtures import County, make_settings
from xiangyue.testing.statements import record

_numbers = itertools.count(1)

#: Edits of the plugin's files: (file in its package, what stands there, what takes its place).
Edits = tuple[tuple[str, str, str], ...]

NAVIGATION = "@hookimpl\ndef register_navigation"
ADDING = """
@hookimpl
def household_change_happened(uow: Uow, household_id: int) -> None:
    from xiangyue_{name} import service
    service.add_note(uow, household_id=household_id, text="It was changed.")
"""
UNSCOPED = """
def counted(uow: Uow) -> int:
    return len(scoped_rows(uow.session, "SELECT n.id FROM plugin_{name}.note n"
        " JOIN household h ON h.id = n.household_id WHERE {{scope:h}}"))
"""
CHOSEN = """
    kinds = fields.List(
        fields.Integer(), load_default=list, metadata={"label": _l("Kinds"), "choices": mark_choices}
    )
"""
CONDITION = """

@hookimpl
def register_household_filters() -> Sequence[HouseholdFilter]:
    return (HouseholdFilter("{name}_noted", _l("Orchards"), policy.VIEW, choices, noted),)


def choices(uow: Uow) -> list[tuple[str, str]]:
    return [("yes", str(_l("Orchards")))]


def noted(uow: Uow, value: str) -> tuple[str, dict[str, Any]]:
    return CONDITION, dict()


CONDITION = "(%s)"
"""
IMPORT = "from xiangyue.sdk.db import Uow\n"

RULE = """
@hookimpl
def register_classifiers() -> Sequence[Classifier]:
    return (
        Classifier(
            key="{name}.noted",
            label=_l("Orchards"),
            permission=policy.VIEW,
            outcomes=(Outcome("yes", _l("Orchards"), "green"),),
            inputs=(),
            versions=(RuleVersion("1", date(2025, 1, 1), (Clause("yes", "1", "1"),)),),
            steps=(Step("village", _l("Orchards"), policy.EDIT),),
            propose=lambda uow, on: Proposals(
                "SELECT h.id AS household_id, 'yes' AS outcome, 'yes' AS clause, jsonb_build_object('n', count(n.id))"
                " AS inputs FROM household h LEFT JOIN plugin_{name}.note n ON n.household_id = h.id"
                " WHERE {{scope:h}} GROUP BY h.id"
            ),
        ),
    )
"""


def _condition(sql: str) -> Edits:
    """A condition of the household list."""
    return (
        ("plugin.py", "import HouseholdPanel", "import HouseholdFilter, HouseholdPanel"),
        ("plugin.py", "\n\ndef panel(", CONDITION.replace("%s", sql) + "\n\ndef panel("),
    )


FOLLOWS: Edits = (
    ("plugin.py", "import HouseholdPanel", "import Follows, HouseholdPanel"),
    ("plugin.py", "import api, pages", "import api, models, pages"),
    (
        "plugin.py",
        "\n\ndef panel(",
        """
@hookimpl
def register_follows() -> Sequence[Follows]:
    return (Follows("{name}_note", _l("Orchards"), "household", models.Note, "household_id"),)


def panel(""",
    ),
)

REGISTER = """
@hookimpl
def register_imports() -> Sequence[ImportRegister]:
    columns = (
        RegisterColumn("home", ("Household", "Household"), "household", required=True),
        RegisterColumn("words", ("Words", "Words"), required=True, example="An orchard"),
    )
    return (ImportRegister("{name}_note", _l("Orchards"), policy.EDIT, columns, ("home",), check, write),)


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    known = {n.household_id: n for n in uow.session.scalars(select(models.Note)) if n.text == "An orchard"}
    return [
        RowOutlook(row.number, known[home].id, "", {"words": known[home].text}, {"words": row.values["words"]})
        if (home := row.values["home"]) in known
        else RowOutlook(row.number, None, "", {}, {"words": row.values["words"]})
        for row in rows
    ]


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    for row in rows:
        service.add_note(uow, household_id=row.values["home"], text=row.values["words"] + "s")
"""

#: What is planted -> (tests that must fail, edits). Only these, of all that look at files and registrations.
FAULTS: dict[str, tuple[set[str], Edits]] = {
    "made for a later interface": ({"it_is_taken_in"}, (("plugin.py", 'core=">=1.0,<2"', 'core=">=2.0"'),)),
    "gives away what it has not": (
        {"it_is_taken_in"},
        (("policy.py", '"village": _BOTH', '"village": frozenset({"household.edit"})'),),
    ),
    "promises to work with everything to come": (
        {"manifest_says_who_it_is"},
        (("plugin.py", 'core=">=1.0,<2"', 'core=">=1.0"'),),
    ),
    "a hook that is not marked": (
        {"every_hook_is_marked_and_known"},
        (("plugin.py", NAVIGATION, "def register_navigation"),),
    ),
    "a right that nobody gets": (
        {"rights_are_its_own_and_given_to_somebody"},
        (("policy.py", "frozenset({VIEW.name, EDIT.name})", "frozenset({VIEW.name})"),),
    ),
    "a label in one language": (
        {"everything_is_labelled_in_both_languages"},
        (("plugin.py", '_notes", _l("Orchards"), policy', '_notes", "Notes", policy'),),
    ),
    "a setting without a label": (
        {"settings_have_defaults_and_labels"},
        (("settings.py", '"label": _l("Longest note"),', ""),),
    ),
    "choices that its own validation refuses": (
        {"choices_of_settings_are_the_countys"},
        (
            ("settings.py", "import _l\n", "import _l\nfrom xiangyue.sdk.settings import mark_choices\n"),
            ("settings.py", "class Settings(Schema):\n", f"class Settings(Schema):\n{CHOSEN}"),
            ("translations/zh.po", 'msgid "Household"', 'msgid "Kinds"\nmsgstr "类别"\n\nmsgid "Household"'),
        ),
    ),
    "an act without words": (
        {"audit_actions_have_words"},
        (("policy.py", 'ACTIONS = {"{name}.add"', 'ACTIONS = {"{name}.other"'),),
    ),
    "an import past the interface": (
        {"it_imports_only_the_sdk"},
        (("queries.py", IMPORT, "from xiangyue.db.uow import Uow\n"),),
    ),
    "an import by name": (
        {"it_imports_only_the_sdk"},
        (("queries.py", IMPORT, f'{IMPORT}import importlib\nuow = importlib.import_module("xiangyue.db.uow")\n'),),
    ),
    "Chinese in code": ({"no_chinese_in_code"}, (("queries.py", IMPORT, f'{IMPORT}WORD = "户"\n'),)),
    "Chinese in a template": (
        {"no_chinese_in_code"},
        (("templates/{name}/show.html", "{% block content %}", "{% block content %}<i>户</i>"),),
    ),
    "a message without Chinese": (
        {"every_message_is_translated"},
        (("templates/{name}/show.html", "{% block content %}", '{% block content %}{{ _("Nobody said this") }}'),),
    ),
    "another word than the core's": (
        {"every_message_is_translated"},
        (("translations/zh.po", 'msgid "Household"\nmsgstr "户"', 'msgid "Household"\nmsgstr "家庭"'),),
    ),
    "SQL round the scope": (
        {"no_sql_goes_round_the_scope"},
        (("queries.py", "note = uow.get(Note, id)", "note = uow.session.get(Note, (uow.tenant_id, id))"),),
    ),
    "a write without a right": ({"every_write_declares_its_right"}, (("service.py", "@acts(policy.EDIT)\n", ""),)),
    "a page for everybody with an account": (
        {"a_missing_right_is_refused"},
        (
            ("pages.py", "import requires\n", "import requires, signed_in\n"),
            ("pages.py", '"/<int:id>")\n@requires(policy.VIEW)', '"/<int:id>")\n@signed_in'),
        ),
    ),
    "a page that does not look": (
        {"the_other_county_is_not_there", "outside_my_area_is_not_there"},
        (("pages.py", "line=queries.find_note(current_uow(), id))", "line=None)"),
         ("templates/{name}/show.html", "{% block content %}", "{% block content %}{% if line %}"),
         ("templates/{name}/show.html", "{% endcall %}\n{% endblock %}", "{% endcall %}{% endif %}\n{% endblock %}")),
    ),
    "a read outside of the area": (
        {"outside_my_area_is_not_there"},
        (("queries.py", "    note = uow.get(Note, id)\n",
          '    with uow.tenant_wide("all of them"):\n        note = uow.get(Note, id)\n'),
         ("queries.py", "uow.get(Household, note.household_id).head_name", '""')),
    ),
    "a page that is always whole": (
        {"pages_come_whole_and_as_fragments"},
        (("templates/{name}/list.html", "{% extends layout %}", '{% extends "layout.html" %}'),),
    ),
    "a page marker that is believed": (
        {"page_markers_that_were_never_given_are_refused"},
        (
            ("api.py", "import decode_ids,", "import decode_cursor,"),
            ("api.py", 'decode_ids(args["cursor"])[0]', 'int(decode_cursor(args["cursor"], 1)[0])'),
        ),
    ),
    "a page marker that is not read": (
        {"page_markers_that_were_never_given_are_refused"},
        (("api.py", 'decode_ids(args["cursor"])[0] if args["cursor"] else 0', 'len(decode_ids("WzFd")) - 1'),),
    ),
    "a query for each row": (
        {"more_rows_ask_no_more"},
        (("queries.py", "Line(note, head_name) for", "Line(note, find_note(uow, note.id).head_name) for"),),
    ),
    "a panel that fails": (
        {"the_core_stands_and_nothing_is_noted"},
        (("plugin.py", "    may_edit = uow.actor.can(policy.EDIT)\n", "    raise KeyError(household_id)\n"),),
    ),
    "an operation that says nothing": ({"openapi_is_valid"}, (("api.py", '    """Notes, newest first"""\n', ""),)),
    "a key over all counties": (
        {"tables_are_fenced", "migrations_go_up_and_down_and_fit_the_models"},
        (("migrations/versions/0001_first.py", "        schema=SCHEMA,\n    )\n    op.create_index",
          '        sa.UniqueConstraint("text"),\n        schema=SCHEMA,\n    )\n    op.create_index'),),
    ),
    "a way down that leaves a table": (
        {"migrations_go_up_and_down_and_fit_the_models"},
        (("migrations/versions/0001_first.py", '    op.drop_table("note", schema=SCHEMA)\n', "    pass\n"),),
    ),
    "a column that the migration forgot": (
        {"migrations_go_up_and_down_and_fit_the_models"},
        (("models.py", "    text: Mapped[str]\n", "    text: Mapped[str]\n    more: Mapped[str | None]\n"),),
    ),
    "told twice, written twice": (
        {"told_twice_is_told_once"},
        (("plugin.py", "\n\ndef panel(", f"\n\n{ADDING}\n\ndef panel("),),
    ),
    "a condition that leaves its own table to row-level security": (
        {"conditions_and_rules_name_the_county"},
        _condition(
            "EXISTS (SELECT FROM plugin_{name}.note n JOIN person p ON p.household_id = n.household_id"
            " WHERE {tenant:p} AND n.household_id = h.id)"
        ),
    ),
    "rows that change on their way": (
        {"rows_that_follow_come_back"},
        (
            *FOLLOWS,
            ("models.py", "import Mapped\n", "import Mapped, mapped_column\n"),
            ("models.py", "    text: Mapped[str]\n", '    text: Mapped[str] = mapped_column(onupdate="moved")\n'),
        ),
    ),
    "rows of which a household has one at most, unsaid": (
        {"rows_that_follow_come_back"},
        (
            *FOLLOWS,
            ("models.py", '"household_id"), tenant_fk', '"household_id", unique=True), tenant_fk'),
            ("migrations/versions/0001_first.py", '_id"], schema', '_id"], unique=True, schema'),
        ),
    ),
    "a condition that leaves the core's table to row-level security": (
        {"conditions_and_rules_name_the_county"},
        _condition(
            "h.id IN (SELECT n.household_id FROM plugin_{name}.note n"
            " LEFT JOIN person_mark m ON m.household_id = n.household_id WHERE {tenant:n} AND m.valid_to IS NULL)"
        ),
    ),
    "a rule that leaves the county to row-level security": (
        {"conditions_and_rules_name_the_county"},
        (
            ("plugin.py", "import HouseholdPanel", "import Classifier, Clause, HouseholdPanel"),
            ("plugin.py", "PanelView, hookimpl", "Outcome, PanelView, Proposals, RuleVersion, Step, hookimpl"),
            ("plugin.py", "from pathlib", "from datetime import date\nfrom pathlib"),
            ("plugin.py", "\n\ndef panel(", f"\n{RULE}\n\ndef panel("),
        ),
    ),
    "a register that writes otherwise than it says": (
        {"registers_are_written_as_their_check_says"},
        (
            ("plugin.py", "import HouseholdPanel", "import HouseholdPanel, ImportRegister"),
            ("plugin.py", "PanelView, hookimpl", "PanelView, RegisterColumn, RegisterRow, RowOutlook, hookimpl"),
            ("plugin.py", "import api, pages", "import api, models, pages"),
            ("plugin.py", "policy, queries\n", "policy, queries, service\n"),
            ("plugin.py", "from flask import", "from sqlalchemy import select\nfrom flask import"),
            ("plugin.py", "\n\ndef panel(", f"\n{REGISTER}\n\ndef panel("),
        ),
    ),
    "a statement that leaves the county to row-level security": (
        {"every_statement_names_the_county"},
        (
            ("queries.py", "import Uow\n", "import Uow, scoped_rows\n"),
            ("queries.py", "\n\ndef find_note(", f"\n{UNSCOPED}\n\ndef find_note("),
            ("pages.py", "    rows = found[:PAGE]\n", "    rows = found[:PAGE]\n    queries.counted(current_uow())\n"),
        ),
    ),
}  # fmt: skip


@cache
def core_offer() -> Registry:
    """What the core takes already, by which the template refuses names."""
    return Registry(FEATURES)


def conformance_tests() -> dict[str, Any]:
    found = inspect.getmembers(PluginConformance, inspect.isfunction)
    return {name.removeprefix("test_"): test for name, test in found if name.startswith("test_")}


def cheap() -> set[str]:
    """Tests that only look: they are asked about every planted fault."""
    return {n.removeprefix("test_") for part in (FactTests, CodeTests) for n in vars(part) if n.startswith("test_")}


@contextmanager
def kit_of(edits: Edits, folder: Path, base: Settings, pg_server: Any) -> Iterator[Kit]:
    """A plugin from the template with the edits, on in two counties of a database of its own."""
    name = f"planted{next(_numbers)}"
    home = bake(core_offer(), name, folder, label="Orchards", label_zh="果园") / "src"
    for file, old, new in edits:
        path = home / f"xiangyue_{name}" / file.replace("{name}", name)
        source = path.read_text("utf-8")
        old, new = old.replace("{name}", name), new.replace("{name}", name).replace("{{scope:h}}", "{scope:h}")
        assert old in source, f"{file}: {old}"
        path.write_text(source.replace(old, new, 1), "utf-8")
    describe(home, name, version="0.1.0")
    urls = pg_server.create_database(f"faults_{name}", template="provisioned")
    with on_path(home, f"xiangyue_{name}"):
        runtime = Runtime(make_settings(base.home, urls, base.redis_url, (name,)))
        record(runtime.engine)
        migrate_one(urls[0], runtime.registry.installed[name])
        app = create_app(runtime=runtime)
        app.testing = False
        counties = [runtime.directory.by_slug(slug) for slug in ("hanyin", "tongyu")]
        on, other = (County(runtime, app, info) for info in counties if info is not None)
        try:
            yield prepared(name, on, other)
        finally:
            uninstall(runtime.registry, name)
            runtime.engine.dispose()
            pg_server.drop_database(f"faults_{name}")


def failing(kit: Kit, names: set[str]) -> set[str]:
    """Which of these tests fail, in the order in which pytest runs them."""
    found = set()
    for name, test in sorted(
        conformance_tests().items(), key=lambda pair: pair[0] == "every_statement_names_the_county"
    ):
        if name in names:
            try:
                test(PluginConformance(), kit)
            except AssertionError:
                found.add(name)
            except pytest.skip.Exception:
                continue
    return found


def test_a_good_plugin_fails_none(tmp_path: Path, provisioned: Settings, pg_server: Any) -> None:
    with kit_of((), tmp_path, provisioned, pg_server) as kit:
        assert failing(kit, set(conformance_tests())) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_by_name(tmp_path: Path, provisioned: Settings, pg_server: Any, fault: str) -> None:
    expected, edits = FAULTS[fault]
    asked = cheap() | expected
    if "every_statement_names_the_county" in expected:
        asked.add("pages_come_whole_and_as_fragments")
    with kit_of(edits, tmp_path, provisioned, pg_server) as kit:
        reason = str(kit.installed.reason) if kit.installed is not None else ""
        assert failing(kit, asked) == expected, reason


def test_every_test_of_the_kit_has_a_planted_fault() -> None:
    """But those that no plugin can fail: its addresses are closed by the pipeline, whatever it does."""
    by_the_pipeline = {"strangers_are_refused", "switched_off_nothing_is_there"}
    caught = {name for expected, _edits in FAULTS.values() for name in expected}
    assert set(conformance_tests()) - caught == by_the_pipeline
