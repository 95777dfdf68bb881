"""``xiangyue plugin new`` bakes a plugin that installs; ``… check`` says how each test went. That its own tests
pass and that it conforms is tried by ``test_tutorial``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xiangyue.errors import Conflict, Invalid
from xiangyue.features.plugins.kit import bake
from xiangyue.plugin.manager import Registry
from xiangyue.runtime import FEATURES


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(FEATURES)


def run(*command: object, cwd: Path | None = None, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if key != "XIANGYUE_PLUGINS"}
    if site is not None:
        environ["PYTHONPATH"] = os.pathsep.join([str(site), environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A baked plugin and the folder it was installed into, both by command."""
    folder = tmp_path_factory.mktemp("baked")
    done = run(
        "-m", "xiangyue.cli", "plugin", "new", "orchard", "--dir", folder, "--label", "Orchards", "--label-zh", "果园"
    )
    assert (done.returncode, done.stderr) == (0, "")
    project, site = folder / "orchard", folder / "site"
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", site)
    done = run(*pip, project)
    assert done.returncode == 0, done.stderr
    return project, site


def test_its_source_is_tidy(orchard: tuple[Path, Path]) -> None:
    project, _site = orchard
    for command in (("check", "."), ("format", "--check", ".")):
        done = run("-m", "ruff", *command, "--no-cache", cwd=project)
        assert done.returncode == 0, done.stdout


def test_the_check_says_how_each_test_went_and_names_what_does_not_hold(orchard: tuple[Path, Path]) -> None:
    _project, site = orchard
    page = site / "xiangyue_orchard" / "templates" / "orchard" / "show.html"
    whole = page.read_text("utf-8")
    page.write_text(whole.replace("{% extends layout %}", '{% extends "layout.html" %}'), "utf-8")
    try:
        done = run("-m", "xiangyue.cli", "plugin", "check", "orchard", site=site)
    finally:
        page.write_text(whole, "utf-8")
    lines = done.stdout.splitlines()
    asked = sum(line[:1] in ("✓", "✗") for line in lines)
    assert (done.returncode, lines[-1]) == (1, f"orchard: 1 of {asked} do not hold"), done.stdout + done.stderr
    assert asked > 20
    assert "✓ the other county is not there" in lines
    place = lines.index("✗ pages come whole and as fragments")
    fault = "    /p/orchard/<int:id> (zh): a whole page for htmx; begin the template with {% extends layout %}"
    assert fault in lines[place : place + 3]


def test_a_plugin_that_is_not_installed_is_said_to_be_none() -> None:
    done = run("-m", "xiangyue.cli", "plugin", "check", "nowhere")
    assert done.returncode == 1
    assert done.stderr == "xiangyue: No plugin “nowhere” is installed here. `xiangyue plugin list` names them.\n"


@pytest.mark.parametrize(
    "name",
    [
        "Orchard",
        "9lives",
        "my-plugin",
        "x",
        "household",
        "plugins",
        "",
        "../up",
        "class",
        "json",
        "flask",
        "contact321",
    ],
)
def test_a_name_that_cannot_be_one_is_refused(registry: Registry, tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        bake(registry, name, tmp_path)
    assert set(refused.value.fields) == {"name"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ['"; import os', "{{ x }}", "[[ x ]]", "a\nb", "50%", "  ", "<script>x", "x" * 61])
def test_a_label_that_would_break_the_files_is_refused(registry: Registry, tmp_path: Path, label: str) -> None:
    with pytest.raises(Invalid) as refused:
        bake(registry, "orchard", tmp_path, label=label, label_zh=label)
    assert set(refused.value.fields) == {"label", "label_zh"}


def test_nothing_is_written_over(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "orchard").mkdir()
    (tmp_path / "orchard" / "mine.txt").write_text("mine")
    with pytest.raises(Conflict):
        bake(registry, "orchard", tmp_path)
    assert [path.name for path in (tmp_path / "orchard").iterdir()] == ["mine.txt"]
