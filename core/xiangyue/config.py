"""Settings from the environment, typed and declared in one place.

Every option is an ``XIANGYUE_*`` variable with a default that suits a bare machine. ``Settings.load()`` reports
every wrong value at once, each with the variable's name and what it may be.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """One or more environment variables have unusable values; the message lists all of them."""


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)


def _flag(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _tiles(text: str) -> str:
    """An address with places for zoom, column and row of a tile; a host that is our own may be left out."""
    address = text.strip()
    if address and not (re.match(r"(https?://[^/{}]*[^/{}.]|)/", address) and all(p in address for p in _TILE_PLACES)):
        raise ValueError
    return address


_TILE_PLACES = ("{z}", "{x}", "{y}")


def _option(default: Any, parse: Callable[[str], Any], doc: str, expects: str, *, secret: bool = False) -> Any:
    """``secret`` options stay out of ``repr()`` and of any page or log that lists settings."""
    metadata = {"parse": parse, "doc": doc, "expects": expects, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process. Field ``database_url`` is read from ``XIANGYUE_DATABASE_URL`` and so on."""

    home: Path = _option(Path(".home"), Path, "Where embedded servers, keys and files live.", "a folder")
    database_url: str = _option(
        "",
        str,
        "PostgreSQL as the runtime role (no superuser, no BYPASSRLS). Empty: embedded server.",
        "postgresql://…",
    )
    migration_database_url: str = _option(
        "",
        str,
        "PostgreSQL as the owning role (BYPASSRLS); for migrations and backups only.",
        "postgresql://…",
    )
    redis_url: str = _option("", str, "Redis for queues and rate limits. Empty: embedded.", "redis://…")
    base_domain: str = _option(
        "localhost",
        str,
        "Counties answer at <slug>.<base domain>; the bare domain is the console.",
        "a domain",
    )
    public_scheme: str = _option("http", str, "Scheme of addresses given to people.", "http or https")
    port: int = _option(8000, _positive, "Port of the web server.", "a number from 1")
    bind: str = _option(
        "127.0.0.1",
        lambda text: text.strip() or "127.0.0.1",
        "Address the web server listens on. Containers set 0.0.0.0.",
        "an address",
    )
    public_port: int = _option(
        0, int, "Port in addresses given to people; 0: the web server's. Behind a proxy: the proxy's.", "a number"
    )
    instance: str = _option(
        "",
        str,
        "Distinguishes cookies of several instances on one host; default: the port.",
        "letters, digits",
    )
    secret_key_file: str = _option("", str, "File with the key-encryption key; default under home.", "a file")
    kek_provider: str = _option(
        "",
        str,
        "Who keeps the key-encryption key. Empty: environment if XIANGYUE_KEK is set, otherwise file.",
        "file, environment or the name of a registered provider",
    )
    kek: str = _option(
        "",
        str,
        "Key-encryption keys (32 bytes in base64, the current one first, older ones after a comma).",
        "base64",
        secret=True,
    )
    metrics_token: str = _option(
        "",
        str,
        "Bearer token that may read /metrics from elsewhere. Empty: loopback only.",
        "text",
        secret=True,
    )
    pool_size: int = _option(10, _positive, "Database connections per process.", "a number from 1")
    statement_timeout_ms: int = _option(30_000, _positive, "Statements longer than this are ended.", "milliseconds")
    behind_pgbouncer: bool = _option(
        False, _flag, "No prepared statements; time limit and time zone said in every transaction.", "true or false"
    )
    trusted_proxies: int = _option(
        0, int, "Number of reverse proxies whose X-Forwarded-* headers are believed.", "a number"
    )
    migrations_dir: Path = _option(Path("migrations"), Path, "Folder of the core's Alembic scripts.", "a folder")
    profiles_dir: Path = _option(Path("tenants"), Path, "Folder of county profiles.", "a folder")
    demo: bool = _option(
        False, _flag, "Demonstration instance: shows demo accounts on the sign-in page.", "true or false"
    )
    demo_households: int = _option(
        20_000, _count, "Households of the demonstration's roster (`make demo`, in Hanyin county).", "a number"
    )
    max_upload_bytes: int = _option(50 * 1024 * 1024, _positive, "Largest accepted upload.", "bytes")
    export_direct_rows: int = _option(
        5_000,
        _count,
        "Lists with more rows than this are exported by a job, to be fetched when it is done.",
        "a number",
    )
    export_keep_days: int = _option(7, _positive, "Files that such a job made are kept so long.", "days")
    session_hours: int = _option(12, _positive, "A session ends after this many hours without use.", "hours")
    log_level: str = _option("INFO", str, "Least level that is logged.", "DEBUG, INFO, WARNING, ERROR")
    files_backend: str = _option("local", str, "Where stored files go.", "local or the name of a registered storage")
    plugins: tuple[str, ...] = _option(
        ("*",),
        _names,
        "Installed plugins that are loaded; * loads all of them, an empty value none.",
        "names with commas between them",
    )
    api_requests_per_minute: int = _option(
        600, _count, "Requests that one access token may send in a minute; 0: as many as it likes.", "a number"
    )
    map_tiles: str = _option(
        "",
        _tiles,
        "Tiles under maps, in WGS 84 or CGCS2000 and Web Mercator. Empty: plain ground.",
        "https://…/{z}/{x}/{y}.png, or a path on this server",
    )
    map_attribution: str = _option("", str, "Whose map it is, shown in its corner.", "text")
    web_workers: int = _option(2, _positive, "Web worker processes.", "a number from 1")
    worker_processes: int = _option(
        1, _positive, "Jobs that one `xiangyue worker` does at the same time, each in a process.", "a number from 1"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read the environment. ``overrides`` win over it. Raises SettingsError naming every bad variable."""
        env = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        problems: list[str] = []
        for option in fields(cls):
            name = f"XIANGYUE_{option.name.upper()}"
            raw = env.get(name)
            if raw is None and option.name == "port":
                name, raw = "PORT", env.get("PORT")
            if raw is None or option.name in overrides:
                continue
            try:
                values[option.name] = option.metadata["parse"](raw)
            except ValueError:
                problems.append(f"{name}={raw!r}: expected {option.metadata['expects']}")
        if problems:
            raise SettingsError("; ".join(problems))
        values.update(overrides)
        loaded = cls(**values)
        return loaded

    @property
    def cookie_suffix(self) -> str:
        """Cookies ignore ports, so two instances on one host need different names."""
        return self.instance or str(self.port)

    @property
    def secure(self) -> bool:
        return self.public_scheme == "https"

    @property
    def map_tile_host(self) -> str:
        """Origin of the tiles' address, for the pages' policy; "" where it is our own."""
        found = re.match(r"https?://[^/]+", self.map_tiles)
        return found.group() if found else ""

    def address(self, host: str) -> str:
        """A full address people can open, for a host name without port."""
        default_port = 443 if self.secure else 80
        port = self.public_port or self.port
        suffix = "" if port == default_port else f":{port}"
        return f"{self.public_scheme}://{host}{suffix}"
