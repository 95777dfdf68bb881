"""A county without a classifier: no line in the navigation, and the address says how one gets it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from tests.integration.classifications_kit import account_with, classifier_planted
from tests.plugins_kit import planted

from xiangyue.features.areas.policy import AREA_VIEW
from xiangyue.features.classifications.policy import CLASSIFICATION_VIEW
from xiangyue.features.plugins.policy import PLUGIN_MANAGE, PLUGIN_VIEW
from xiangyue.plugin.registry import NavItem
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

LINE = 'href="/classifications"'


def page(client: FlaskClient, path: str = "/classifications") -> str:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def test_the_line_is_there_only_with_a_classifier(hanyin: County) -> None:
    client = hanyin.client(account_with(hanyin, CLASSIFICATION_VIEW, AREA_VIEW))
    assert LINE not in page(client, "/areas")
    with classifier_planted(hanyin.runtime):
        assert LINE in page(client, "/areas")
    assert LINE not in page(client, "/areas")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_address_says_that_there_is_none_and_how_one_gets_it(hanyin: County, locale: str) -> None:
    some, every = (CLASSIFICATION_VIEW, AREA_VIEW), (CLASSIFICATION_VIEW, AREA_VIEW, PLUGIN_VIEW, PLUGIN_MANAGE)
    reader = page(hanyin.client(account_with(hanyin, *some, locale=locale)))
    manager = page(hanyin.client(account_with(hanyin, *every, locale=locale)))
    none = {"zh": "这里没有按规则的分类", "en": "No classification by rule here"}[locale]
    assert none in reader
    assert none in manager
    assert {"zh": "请联系管理本县插件的人员启用", "en": "Ask whoever manages the county"}[locale] in reader
    content = manager.split(none)[1]
    assert 'href="/settings/plugins"' in content
    assert 'href="/settings/plugins"' not in reader.split(none)[1]
    if locale == "en":
        assert not list(english_page_faults(reader + manager))


def test_one_without_the_right_reads_that_it_is_the_right(hanyin: County) -> None:
    with classifier_planted(hanyin.runtime):
        shown = page(hanyin.client(account_with(hanyin, CLASSIFICATION_VIEW, AREA_VIEW, locale="en")))
    assert "No classification by rule that you may see" in shown


def test_a_line_that_needs_what_nothing_registers_keeps_the_plugin_out(hanyin: County) -> None:
    item = NavItem("probe", "Probe", "probe.home", None, "people", "home", needs="colours")
    with planted(hanyin.runtime, "probe", register_navigation=(item,)) as installed:
        assert installed.state != "ready"
        assert "needs" in str(installed.reason)
