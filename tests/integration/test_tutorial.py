"""The tutorial for plugin authors is run as it stands: every file is written, every command typed, in its order.

Blocks ``console`` are commands (``$ …``) with lines that their output must have; ``diff`` is applied; a block after a
line that is only a path in backticks is that file; one after "at the end of `path`" is added to it. Blocks ``sh`` are
the reader's own set-up.
"""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xiangyue.config import Settings
from xiangyue.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "plugins" / "tutorial.md"


@dataclass(frozen=True)
class Block:
    """A fenced block with the paragraph before it."""

    kind: str
    text: str
    before: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", page, flags=re.M | re.S):
        before = page[: found.start()].rstrip().split("\n\n")[-1]
        yield Block(found[1], found[2], before, page.count("\n", 0, found.start()) + 1)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """An environment of the reader's own over ours, so that what is installed stays in it; its programs."""
    home = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    inside = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", inside], capture_output=True, text=True, check=True).stdout.strip()
    ours = [path for path in site.getsitepackages() if Path(path).is_dir()]
    lines = [f"import site; site.addsitedir({path!r})" for path in ours]
    (Path(packages) / "ours.pth").write_text("\n".join(lines) + "\n")
    for name, module in (("xiangyue", "xiangyue.cli"), ("pip", "pip"), ("pytest", "pytest")):
        script = home / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n')
        script.chmod(0o755)
    return home / "bin"


def environment(runtime: Runtime, programs: Path) -> dict[str, str]:
    s: Settings = runtime.settings
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XIANGYUE_")}
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{kept['PATH']}",
        "XIANGYUE_HOME": str(s.home),
        "XIANGYUE_DATABASE_URL": s.database_url,
        "XIANGYUE_MIGRATION_DATABASE_URL": s.migration_database_url,
        "XIANGYUE_REDIS_URL": s.redis_url,
        "XIANGYUE_MIGRATIONS_DIR": str(s.migrations_dir),
        "XIANGYUE_PROFILES_DIR": str(s.profiles_dir),
        "XIANGYUE_INSTANCE": s.instance,
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def typed(block: Block) -> Iterator[tuple[str, list[str]]]:
    """(command, lines of its output that the page shows)."""
    command, shown = "", list[str]()
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        elif line.strip():
            shown.append(line.rstrip())
    if command:
        yield command, shown


@pytest.mark.long
def test_the_tutorial_works_as_it_stands(runtime: Runtime, programs: Path, tmp_path: Path) -> None:
    environ = environment(runtime, programs)
    here, written = tmp_path, 0
    for block in blocks(TUTORIAL.read_text("utf-8")):
        where = f"tutorial.md:{block.line}"
        if block.kind == "console":
            for command, shown in typed(block):
                if command.startswith("cd "):
                    here = here / command.removeprefix("cd ")
                    continue
                done = subprocess.run(
                    ["bash", "-c", command], cwd=here, env=environ, capture_output=True, text=True, check=False
                )
                said = done.stdout + done.stderr
                assert done.returncode == 0, f"{where}: {command}\n{said[-3000:]}"
                missing = [line for line in shown if line not in said]
                assert not missing, f"{where}: {command}: {missing} not in\n{said[-3000:]}"
        elif block.kind == "diff":
            # As strict as a reader's patch(1): numbers and context of each hunk are right.
            applied = ["git", "apply", "--whitespace=nowarn", "-"]
            done = subprocess.run(applied, cwd=here, input=block.text, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{where}: {done.stderr}"
            written += 1
        elif block.kind != "sh":
            write(block, here, where)
            written += 1
    assert written >= 8


def write(block: Block, here: Path, where: str) -> None:
    """A whole file, or what is added at the end of one."""
    paths = re.findall(r"`((?:src|tests)/[^`]+)`", block.before)
    assert paths, f"{where}: which file?"
    path = here / paths[-1]
    if "at the end of" in " ".join(block.before.split()):
        path.write_text(f"{path.read_text('utf-8').rstrip()}\n\n{block.text}", "utf-8")
    else:
        assert block.before == f"`{paths[-1]}`", f"{where}: which file?"
        assert not path.exists(), where
        path.write_text(block.text, "utf-8")
