"""What ``xiangyue demo`` runs: the steps that prepare it and the services, as command lines."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import xiangyue
from xiangyue.config import Settings
from xiangyue.local.children import Program


@dataclass(frozen=True, slots=True)
class Plan:
    """``every_time`` runs at each start, ``once`` until it succeeded for this ``fingerprint``."""

    every_time: tuple[Program, ...]
    once: tuple[Program, ...]
    services: tuple[Program, ...]
    fingerprint: str
    banner: Callable[[Settings], list[str]]


def profile_folders(settings: Settings) -> list[Path]:
    """Folders of county profiles, by name; the folder's name is the county's slug."""
    return sorted(path.parent for path in settings.profiles_dir.glob("*/tenant.toml"))


def demo_plan(settings: Settings) -> Plan:
    """The plan of the real demo."""
    households = str(settings.demo_households)
    profiles = profile_folders(settings)
    applies = [_cli(f"tenant apply {p.name}", "tenant", "apply", str(p)) for p in profiles]
    seed = _cli(f"seed-demo ({settings.demo_households:,} households)", "seed-demo", "--households", households)
    web = (sys.executable, "-m", "gunicorn", "-c", "python:xiangyue.gunicorn_conf", "xiangyue.wsgi:app")
    return Plan(
        every_time=(Program("migrate", (sys.executable, "-m", "xiangyue.local.migrate")),),
        once=(*applies, seed),
        services=(Program("web", web), _cli("worker", "worker"), _cli("scheduler", "scheduler")),
        fingerprint=_fingerprint(settings, profiles, households),
        banner=banner,
    )


def banner(settings: Settings) -> list[str]:
    """Lines with every county's address, the console's, and the demo accounts."""
    lines = ["", "Counties:"]
    lines += [f"  {settings.address(f'{p.name}.{settings.base_domain}')}" for p in profile_folders(settings)]
    lines += ["Console:", f"  {settings.address(settings.base_domain)}"]
    accounts = demo_accounts()
    if accounts:
        lines.append("Demo accounts (place, name, password, role):")
        widths = [max(len(row[i]) for row in accounts) for i in range(3)]
        lines += ["  " + "  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]).rstrip() for row in accounts]
    return [*lines, ""]


def demo_accounts() -> list[tuple[str, str, str, str]]:
    """(site, login, password, role) of each demo account."""
    from xiangyue.features.demo import accounts

    return [(a.site, a.login, a.password, a.role) for a in accounts()]


def environ_of(settings: Settings) -> dict[str, str]:
    """This process' environment with every setting spelled out, for children."""
    environ = {key: value for key, value in os.environ.items() if key != "PORT"}
    for option in fields(Settings):
        value = getattr(settings, option.name)
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, Path):
            text = str(value.resolve())
        elif isinstance(value, tuple):
            text = ",".join(value)
        else:
            text = str(value)
        environ[f"XIANGYUE_{option.name.upper()}"] = text
    return environ


def _cli(name: str, *arguments: str) -> Program:
    return Program(name, (sys.executable, "-m", "xiangyue.cli", *arguments))


def _fingerprint(settings: Settings, profiles: list[Path], households: str) -> str:
    """Changes with the version, the profiles, the size asked for, and the database."""
    digest = hashlib.sha256(f"{households}\n{settings.database_url}\n".encode())
    for folder in profiles:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{folder.name}/{path.relative_to(folder)}\n".encode())
            digest.update(path.read_bytes())
    return f"{xiangyue.__version__} {digest.hexdigest()[:16]}"
