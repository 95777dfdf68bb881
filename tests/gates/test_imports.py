"""The rooms' import order holds, and a module that breaks it is caught."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]


def test_the_import_order_holds() -> None:
    done = subprocess.run(LINT, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_planted_import_against_the_order_is_found(tmp_path: Path) -> None:
    package = tmp_path / "house"
    for room in ("web", "db"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "db" / "bad.py").write_text("import house.web\n")
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = house\n\n[importlinter:contract:1]\nname = order\ntype = layers\n"
        "layers =\n    house.web\n    house.db\n"
    )
    done = subprocess.run(
        LINT,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "house.db.bad -> house.web" in done.stdout
