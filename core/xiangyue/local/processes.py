"""Find and end processes without mistaking a reused process number for a server of ours."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil


def alive(process: psutil.Process) -> bool:
    """A zombie is not alive: nobody may be there to reap it (a container's first process often does not)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def working_in(folder: Path) -> list[psutil.Process]:
    """Live processes whose working folder is ``folder``; servers stand in their data folder."""
    found = []
    wanted = str(folder.resolve())
    for process in psutil.process_iter():
        try:
            if process.cwd() == wanted and alive(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return found


def process_at(pid: int, folder: Path) -> psutil.Process | None:
    """The live process ``pid`` if it works in ``folder``; None if gone or the number is somebody else's."""
    if pid <= 0:
        return None
    try:
        process = psutil.Process(pid)
        if process.cwd() == str(folder.resolve()) and alive(process):
            return process
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        pass
    return None


def wait_gone(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait for all to end; returns those still alive after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    left = [p for p in processes if alive(p)]
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = [p for p in left if alive(p)]
    return left


def send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def session_members(leader: int) -> list[psutil.Process]:
    """Live processes of the session that ``leader`` opened, the leader included, also where reparented."""
    members = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == leader:
                process = psutil.Process(pid)
                if alive(process):
                    members.append(process)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue
    return members


def end_session(leader: int, timeout: float) -> None:
    """Ask a whole session to end, then kill what is left of it after ``timeout`` seconds."""
    members = session_members(leader)
    for process in members:
        send(process, signal.SIGTERM)
    wait_gone(members, timeout)
    for process in session_members(leader):
        send(process, signal.SIGKILL)
    wait_gone(session_members(leader), 5)
