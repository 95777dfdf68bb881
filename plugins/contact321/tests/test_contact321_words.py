"""Every message has its Chinese, no Chinese stands in code or templates, and the plugin keeps to the interface."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import xiangyue_contact321
from xiangyue import i18n
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import chinese_faults, messages, python_files, sql_faults, template_chinese_faults
from xiangyue_contact321 import law, policy
from xiangyue_contact321.rule import CLASSIFIER, REASONS

HERE = Path(xiangyue_contact321.__file__).parent
#: What the core says too, in the same words.
SOURCES = [*python_files(HERE), *sorted(HERE.rglob("*.html"))]


def test_every_message_is_translated(hanyin: County) -> None:
    assert hanyin.runtime.registry.installed["contact321"].ready
    untranslated = []
    with i18n.in_locale("zh"):
        for path in SOURCES:
            for line, message in messages(path):
                one, *more = [message] if isinstance(message, str) else message
                shown = i18n.ngettext(one, *more, 1) if more else i18n.gettext(one)
                if shown in (one, one.replace("%(n)d", "1")):
                    untranslated.append(f"{path.name}:{line}: {message}")
    assert untranslated == []


def test_no_chinese_and_no_sql_past_the_scope() -> None:
    faults: list[str] = []
    for path in SOURCES:
        text, name = path.read_text("utf-8"), path.relative_to(HERE)
        if path.suffix == ".html":
            faults += template_chinese_faults(name, text)
        else:
            faults += chinese_faults(name, text) + sql_faults(name, text)
    assert faults == []


def test_it_imports_the_interface_alone() -> None:
    for path in python_files(HERE):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.partition(".")[0] != "xiangyue" or name.startswith("xiangyue.sdk"), (path.name, name)


def test_all_keys_are_its_own(hanyin: County) -> None:
    installed = hanyin.runtime.registry.installed["contact321"]
    assert installed.contributor is not None
    offered: dict[str, Any] = dict(installed.contributor.offered)
    assert sorted(offered) == [
        "api", "audit_actions", "classifiers", "dashboard_cards", "household_columns", "household_filters",
        "household_panels", "import_columns", "navigation", "pages", "permissions", "role_templates",
    ]  # fmt: skip
    assert {policy.VIEW.name, policy.CONFIRM_VILLAGE.name, policy.CONFIRM_TOWN.name} == {
        p.name for p in offered["permissions"]
    }


def test_the_words_of_the_document_are_one_piece() -> None:
    for text in (law.GREEN, law.YELLOW, law.RED, law.ONLINE, law.FRONT_LINE, law.HOTLINE):
        assert re.fullmatch(r"\S+", text)
    assert {outcome.key for outcome in CLASSIFIER.outcomes} == {"green", "yellow", "red", "undetermined"}
    assert set(REASONS) == {c.key for c in CLASSIFIER.versions[0].clauses} - {"green", "yellow", "red"}
