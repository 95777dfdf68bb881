"""Every environment variable that the code reads is a setting, and stands in docs/operations.md as it is; nothing else
stands there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from xiangyue.config import Settings

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"XIANGYUE_[A-Z][A-Z_]*[A-Z]")
SETTINGS = {f"XIANGYUE_{option.name.upper()}" for option in fields(Settings)}
#: Where the environment itself may be looked at, and why.
READERS = {
    "config.py": "the settings",
    "gunicorn_conf.py": "the metrics library's own variable",
    "web/metrics.py": "the metrics library's own variable",
    "plugin/metrics.py": "the metrics library's own variable",
    "local/": "children of the demo and of the set-up inherit it",
    "testing/": "the live server of the tests inherits it",
}


def sources() -> Iterator[Path]:
    """What reads or sets variables: code, deployment, make."""
    for folder in ("core/xiangyue", "plugins", "helm", "migrations"):
        for path in sorted((ROOT / folder).rglob("*")):
            kept = not {"node_modules", "dist", "__pycache__", "tests"} & set(path.parts)
            if kept and path.suffix in (".py", ".yaml", ".yml", ".tpl", ".toml"):
                yield path
    yield from (path for name in ("Makefile", "Dockerfile", ".ci/run") if (path := ROOT / name).is_file())


def environment_faults(name: str, source: str) -> list[str]:
    """Places that read the environment past the settings."""
    return [
        f"{name}:{node.lineno} reads the environment; add a setting to config.py"
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"))
        or (isinstance(node, ast.alias) and node.name in ("environ", "getenv"))
    ]


def table() -> list[str]:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    return [line for line in text.splitlines() if line.startswith("| `XIANGYUE_")]


def test_every_name_in_the_code_is_a_setting() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        for name in NAME.findall(path.read_text("utf-8"))
        if name not in SETTINGS
    }
    assert unknown == set()


def test_only_the_settings_read_the_environment() -> None:
    core = ROOT / "core/xiangyue"
    faults: list[str] = []
    for path in sorted(core.rglob("*.py")):
        name = str(path.relative_to(core))
        if not name.startswith(tuple(READERS)) and "node_modules" not in path.parts:
            faults += environment_faults(name, path.read_text("utf-8"))
    assert faults == []


@pytest.mark.parametrize(
    "offender", ["import os\nos.environ['X']", "from os import environ", "import os\nos.getenv('XIANGYUE_X')"]
)
def test_a_planted_reader_is_found(offender: str) -> None:
    assert environment_faults("x.py", offender) != []


def test_the_table_is_what_the_settings_say() -> None:
    """Row for row: name, default, meaning; so a new setting, a gone one and a changed one are all noticed."""
    expected = []
    for option in fields(Settings):
        default = option.default
        shown = "" if default == "" else f"`{','.join(default) if isinstance(default, tuple) else default}`"
        expected.append(f"| `XIANGYUE_{option.name.upper()}` | {shown} | {option.metadata['doc']} |")
    assert table() == expected


def test_nothing_else_stands_in_the_document() -> None:
    assert set(NAME.findall((ROOT / "docs/operations.md").read_text("utf-8"))) - SETTINGS == set()
