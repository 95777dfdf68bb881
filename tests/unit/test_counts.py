"""Counts in sentences have their thousands separator, in both languages."""

from __future__ import annotations

import pytest
from jinja2 import Environment
from markupsafe import Markup

from xiangyue.i18n import in_locale, ngettext
from xiangyue.web import templating


@pytest.fixture(scope="module")
def env() -> Environment:
    env = Environment(autoescape=True)
    templating.install(env)
    return env


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_counts_in_sentences(locale: str, env: Environment) -> None:
    with in_locale(locale):
        assert ngettext("%(n)d thing", "%(n)d things", 20_000) == "20,000 things"
        assert ngettext("%(n)s thing", "%(n)s things", 1) == "1 thing"
        assert ngettext("%(n)d of %(all)d", "%(n)d of %(all)d", 1234, all=56789) == "1,234 of 56,789"
        assert ngettext("%(n)d %(what)s", "%(n)d %(what)s", 1000, what="x") == "1,000 x"
        shown = env.from_string('{{ ngettext("%(n)d by %(who)s", "%(n)d by %(who)s", 20000, who=who) }}')
        assert shown.render(who=Markup("<b>A</b>")) == "20,000 by <b>A</b>"
        assert shown.render(who="<i>") == "20,000 by &lt;i&gt;"
