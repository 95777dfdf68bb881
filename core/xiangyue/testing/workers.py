"""Tests in several processes (``pytest -n 2 --dist loadfile``): each process has its own servers, and what is marked
``last`` runs once, after all of them, over what all of them recorded; what is marked ``long`` begins first, or at the
end the other processes would wait for it.

Without ``-n`` the tests run in this process, those marked ``last`` behind the others. Name this module in
``pytest_plugins``.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest

from xiangyue.testing import statements, trail

#: Under this name a process hands over what it recorded, and which tests it left to the one that gathers.
_RECORDED = "xiangyue_recorded"
_left = pytest.StashKey[list[str]]()
_gathered = pytest.StashKey[set[str]]()
_silent = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "last: runs after all other tests, over what they left to look at")
    config.addinivalue_line("markers", "long: takes minutes, so it begins before the others")
    config.stash[_left], config.stash[_gathered], config.stash[_silent] = [], set(), []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_is_last(item), item.get_closest_marker("long") is None))
    if hasattr(config, "workerinput"):
        config.stash[_left] += [item.nodeid for item in items if _is_last(item)]
        items[:] = [item for item in items if not _is_last(item)]


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not walk through it again and again, as in a web worker."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _is_last(item: pytest.Item) -> bool:
    return item.get_closest_marker("last") is not None


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        shapes = [(one.action, one.object_type, one.actor, sorted(one.keys)) for one in trail.SEEN]
        output[_RECORDED] = (session.config.stash[_left], sorted(statements.SEEN), shapes)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A process has ended: take over what it recorded."""
    config: pytest.Config = node.config
    recorded = getattr(node, "workeroutput", {}).get(_RECORDED)
    if error is not None or recorded is None:
        config.stash[_silent].append(node.gateway.id)
        return
    left, seen, shapes = recorded
    config.stash[_gathered].update(left)
    statements.SEEN.update(seen)
    trail.SEEN.update(trail.Written(action, thing, actor, frozenset(keys)) for action, thing, actor, keys in shapes)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Any:
    """Where other processes ran the tests: what they left, here."""
    done = yield
    silent: list[str] = session.config.stash[_silent]
    left: set[str] = session.config.stash[_gathered]
    if silent:
        raise session.Failed(f"{', '.join(silent)} ended without saying what it recorded")
    if left:
        # The terminal would count these alone.
        collected = session.testscollected
        # Their names begin at the root, which is not where a plugin's tests are run.
        items = list(session.perform_collect([str(session.config.rootpath / name) for name in sorted(left)]))
        session.testscollected = collected + len(items)
        for item, following in zip(items, [*items[1:], None], strict=True):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return done
