"""Which system user runs the embedded servers.

PostgreSQL refuses to run as root. Started by root, the servers run as a system user of their own; started by
anybody else they run as that person.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xiangyue.local.problems import LocalServerError

SYSTEM_USER = "xiangyue-pg"
SUBSTITUTES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A system user. ``dropped`` says that we are root and must become that user to start a server."""

    uid: int
    gid: int
    name: str
    dropped: bool

    def spawn_options(self) -> dict[str, Any]:
        """Keyword arguments for subprocess that make the child run as this user."""
        if not self.dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give one file or folder to this user (only root needs to)."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        if not self.dropped:
            return os.access(folder, os.X_OK)
        # Asked of the system as that user: modes alone do not tell of ACLs or security modules.
        done = subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **self.spawn_options(),
        )
        return done.returncode == 0

    def require_entry(self, home: Path) -> None:
        """Raise LocalServerError naming the first folder on the way to ``home`` that stops this user."""
        if self.can_enter(home):
            return
        blocking = next(f for f in [*reversed(home.parents), home] if not self.can_enter(f))
        raise LocalServerError(
            f"PostgreSQL does not run as root, so it runs as the system user {self.name!r}, and that user "
            f"cannot enter {blocking}, on the way to XIANGYUE_HOME={home}.\n"
            f"Set XIANGYUE_HOME to a folder that others may pass through, for example "
            f"XIANGYUE_HOME=/var/lib/xiangyue, or run: chmod o+x {blocking}"
        )


def _named(uid: int, gid: int, *, dropped: bool) -> Account:
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(uid, gid, name, dropped)


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, name, dropped=True)


def _create_system_user() -> Account | None:
    useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if useradd is None:
        return None
    options = ["--system", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin"]
    for _ in range(20):
        subprocess.run([useradd, *options, SYSTEM_USER], capture_output=True, check=False)
        found = _find(SYSTEM_USER)
        if found is not None:
            return found
        # Another start may hold the lock of the user database just now.
        time.sleep(0.1)
    return None


def service_account(data: Path) -> Account:
    """The user for the servers whose files lie in ``data``; whoever owns existing files stays their owner."""
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        me = _named(os.geteuid(), os.getegid(), dropped=False)
        if owner is not None and owner.st_uid != me.uid:
            other = _named(owner.st_uid, owner.st_gid, dropped=False)
            raise LocalServerError(
                f"{data} belongs to the user {other.name!r}, and you are {me.name!r}. Run as that user "
                "(or as root), or set XIANGYUE_HOME to another folder."
            )
        return me
    if owner is not None and owner.st_uid != 0:
        return _named(owner.st_uid, owner.st_gid, dropped=True)
    account = _find(SYSTEM_USER) or _create_system_user()
    for name in SUBSTITUTES:
        account = account or _find(name)
    if account is None:
        raise LocalServerError(
            f"PostgreSQL does not run as root, and no system user could be made for it. "
            f"Create one named {SYSTEM_USER!r}, or run as an ordinary user."
        )
    return account
