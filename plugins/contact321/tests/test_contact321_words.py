"""The plugin's own keys and words; what every plugin is held to stands in the conformance tests."""

from __future__ import annotations

import re
from typing import Any

from xiangyue.sdk.testing import County
from xiangyue_contact321 import law, policy
from xiangyue_contact321.rule import CLASSIFIER, REASONS


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
