"""Everything that the test run wrote to audit trails can be read: each code has words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import select

from xiangyue.access.audit import audit
from xiangyue.access.models import AuditEntry
from xiangyue.testing.fixtures import County
from xiangyue.testing.trail import SEEN, Written, shape_of, wordless

#: Actions that tests of the trail itself write, and the names of plugins that tests make up.
PLANTED = {"ghost.look"}
_MADE_UP = re.compile(r"planted\d+|probe")
#: Plugins of this repository: the conformance kit looks after their words.
PLUGINS = {
    name
    for project in Path(__file__).resolve().parents[2].glob("plugins/*/pyproject.toml")
    for name in tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"]["xiangyue.plugins"]
}


def _of_a_plugin(name: str) -> bool:
    return name in PLUGINS or _MADE_UP.fullmatch(name) is not None


@pytest.mark.last
def test_every_code_of_the_trail_has_words(hanyin: County, operator: County) -> None:
    # What bringing the counties aboard wrote, which may have been in an earlier run.
    seen = set()
    for place in (hanyin, operator):
        with place.uow() as uow:
            seen |= {shape_of(entry) for entry in uow.session.scalars(select(AuditEntry))}
            audit(uow, action="operator.read", object_type="tenant")
    assert seen
    assert "operator.read" in {one.action for one in SEEN}, "the recorder is broken"
    written = [
        one for one in SEEN | seen if one.action not in PLANTED and not _of_a_plugin(one.action.partition(".")[0])
    ]
    assert "\n".join(wordless(written, hanyin.runtime.registry.actions, _of_a_plugin)) == ""


def test_planted_codes_are_found() -> None:
    planted = Written("planted.act", "planted_thing", "planted robot", frozenset({"planted_field", "name", "custom.x"}))
    assert wordless([planted], {}) == [
        "action planted.act",
        "actor planted robot (planted.act)",
        "field planted_field (planted.act)",
        "thing planted_thing (planted.act)",
    ]
