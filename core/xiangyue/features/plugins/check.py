"""``python -m xiangyue.features.plugins.check NAME``: the conformance tests of an installed plugin, told line by line.

What ``xiangyue plugin check`` runs. Exit code 0 when all hold, 1 otherwise.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, TextIO

import pytest

#: What a plugin has of its own when it inherits the kit.
_TESTS = {
    "pytest.ini": "[pytest]\nfilterwarnings = error\n",
    "conftest.py": """
import pytest

pytest_plugins = ["xiangyue.sdk.testing"]


@pytest.fixture(scope="session")
def loaded_plugins():
    return (NAME,)
""",
    "test_conformance.py": """
from xiangyue.sdk.testing import PluginConformance


class TestConformance(PluginConformance):
    plugin = NAME
""",
}


class Teller:
    """Prints each test as a sentence when it is over, with its faults below."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.held = self.failed = self.skipped = 0

    def say(self, text: str) -> None:
        self.out.write(f"{text}\n")
        self.out.flush()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        said = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        if report.failed:
            self.failed += 1
            self.say(f"✗ {said}")
            for line in _faults(report):
                self.say(f"    {line}")
        elif report.skipped:
            self.skipped += 1
            self.say(f"- {said} (not looked at)")
        elif report.when == "call":
            self.held += 1
            self.say(f"✓ {said}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed += 1
            self.say(str(report.longrepr))


def _faults(report: Any) -> list[str]:
    """What an AssertionError says, without pytest's picture of the code."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    lines = [line.rstrip() for line in text.removeprefix("AssertionError:").splitlines() if line.strip()]
    # What follows is the compared values once more.
    return [line.strip() for line in lines if not line.startswith(("assert ", "  +  where"))] or lines


def main(name: str) -> int:
    # pytest takes the standard output away, with all that servers and migrations say there.
    teller = Teller(os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for file, source in _TESTS.items():
            (Path(folder) / file).write_text(source.replace("NAME", repr(name)), "utf-8")
        arguments = ["--rootdir", folder, "-p", "no:cacheprovider", "-p", "no:terminal"]
        code = pytest.main(["-c", f"{folder}/pytest.ini", *arguments, folder], plugins=[teller])
    verdict = "conforms" if code == 0 else f"{teller.failed} of {teller.held + teller.failed} do not hold"
    teller.say(f"{name}: {verdict}")
    return 0 if code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
