"""``xiangyue import roster``, ``synth roster`` and ``seed-demo`` as a person runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from imports_kit import empty, register, rows_of, synthetic, workbook
from sqlalchemy import select

from xiangyue.access.models import Account
from xiangyue.cli import cli
from xiangyue.errors import NotFound
from xiangyue.features.imports.models import ImportBatch
from xiangyue.i18n import in_locale
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County


def run(runtime: Runtime, *arguments: Any) -> Result:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    group = cli.get_command  # the group's callback would open the configured servers
    command = group(None, arguments[0])  # type: ignore[arg-type]
    assert command is not None
    with in_locale("en"):
        return CliRunner().invoke(command, [str(a) for a in arguments[1:]], obj=opened, catch_exceptions=False)


@pytest.fixture(autouse=True)
def clean(hanyin: County) -> None:
    empty(hanyin)


def test_a_roster_is_imported(hanyin: County, tmp_path: Path) -> None:
    path = synthetic(hanyin, tmp_path, 60)
    done = run(hanyin.runtime, "import", "roster", "--tenant", "hanyin", path)
    assert done.exit_code == 0
    assert "households: new 60, changed 0, unchanged 0" in done.stdout
    assert done.stdout.endswith("written\n")
    assert register(hanyin)[1] == 60


def test_a_dry_run_writes_nothing_and_leaves_no_batch_behind(hanyin: County, tmp_path: Path) -> None:
    done = run(hanyin.runtime, "import", "roster", "--tenant", "hanyin", "--dry-run", synthetic(hanyin, tmp_path, 20))
    assert done.exit_code == 0
    assert "households: new 20" in done.stdout
    assert register(hanyin)[1] == 0
    with hanyin.uow() as uow:
        newest = uow.session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)).one()
        assert newest.state == "cancelled"


def test_errors_go_to_standard_error_by_cell_and_nothing_is_written(hanyin: County, tmp_path: Path) -> None:
    rows = rows_of(synthetic(hanyin, tmp_path, 20))
    rows[3]["phone"] = "12"
    path = tmp_path / "wrong.xlsx"
    path.write_bytes(workbook(rows))
    done = run(hanyin.runtime, "import", "roster", "--tenant", "hanyin", path)
    assert done.exit_code == 1
    assert done.stderr.startswith("Row 5, Phone, “12”: ")
    assert "nothing was written" in done.stdout
    assert register(hanyin)[1] == 0
    valid = run(hanyin.runtime, "import", "roster", "--tenant", "hanyin", "--valid-only", path)
    assert valid.exit_code == 0
    assert register(hanyin)[1] == 19


def test_a_file_that_is_no_roster_is_told(hanyin: County, tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    path.write_bytes(workbook([]))
    done = run(hanyin.runtime, "import", "roster", "--tenant", "hanyin", path)
    assert done.exit_code == 1
    assert "no row of a person" in done.stderr


def test_an_unknown_county_is_told(hanyin: County, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        run(hanyin.runtime, "import", "roster", "--tenant", "nowhere", synthetic(hanyin, tmp_path, 1))


def test_the_same_seed_gives_the_same_roster(hanyin: County, tmp_path: Path) -> None:
    def made(name: str, seed: int) -> str:
        path = tmp_path / name
        done = run(
            hanyin.runtime,
            "synth",
            "roster",
            "--tenant",
            "hanyin",
            "--households",
            30,
            "--seed",
            seed,
            "--year",
            2025,
            path,
        )
        assert done.exit_code == 0
        return hashlib.sha256(path.read_bytes()).hexdigest()

    assert made("a.xlsx", 5) == made("b.xlsx", 5) != made("c.xlsx", 6)


def test_the_demo_is_seeded_once(hanyin: County) -> None:
    first = run(hanyin.runtime, "seed-demo", "--households", 40)
    assert first.stdout == "40 households taken in\n"
    filled = register(hanyin)
    second = run(hanyin.runtime, "seed-demo", "--households", 40)
    assert second.stdout == "0 households taken in\n"
    assert register(hanyin) == filled
    with hanyin.uow() as uow:
        assert uow.session.scalars(select(Account.login).where(Account.login == "admin")).one() == "admin"
