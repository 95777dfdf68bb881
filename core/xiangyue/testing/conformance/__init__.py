"""The conformance kit: some thirty tests that every plugin inherits.

In the plugin's tests, with a ``conftest.py`` as ``xiangyue plugin new`` writes it::

    from xiangyue.sdk.testing import PluginConformance


    class TestConformance(PluginConformance):
        plugin = "orchard"

The rows that addresses, lists and counts are tried with come from ``lay(uow, household_ids)`` of the plugin's module
``samples``; without one they are made from the tables' columns. ``xiangyue plugin check NAME`` runs the same tests for
an installed plugin.
"""

from __future__ import annotations

from typing import ClassVar

import pytest

from xiangyue.runtime import Runtime
from xiangyue.testing.conformance.code import CodeTests
from xiangyue.testing.conformance.facts import FactTests
from xiangyue.testing.conformance.kit import Kit, switch
from xiangyue.testing.conformance.registers import RegisterTests
from xiangyue.testing.conformance.routes import RouteTests
from xiangyue.testing.conformance.tables import TableTests
from xiangyue.testing.fixtures import County

__all__ = ["Kit", "PluginConformance", "prepared"]


def prepared(name: str, on: County, other: County) -> Kit:
    """The kit for a plugin that was loaded, switched on in both counties."""
    kit = Kit(name, on, other, on.app)
    if kit.installed is not None:
        with on.uow() as uow:
            on.runtime.check_plugins(uow)
        if kit.installed.ready:
            for county in (on, other):
                switch(county, name, True)
    return kit


class PluginConformance(TableTests, RegisterTests, RouteTests, CodeTests, FactTests):  # pytest runs the last base first
    """Inherit it with the name of the plugin. Tests of the plugin's own can stand in the same class."""

    plugin: ClassVar[str] = ""

    @pytest.fixture(scope="class")
    @classmethod
    def kit(cls, runtime: Runtime, hanyin: County, tongyu: County) -> Kit:
        """The plugin, on in Hanyin and in Tongyu."""
        return prepared(cls.plugin, hanyin, tongyu)
