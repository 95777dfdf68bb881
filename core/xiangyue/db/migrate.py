"""Runs the core's migrations; for the whole database, plugins and all, see ``plugin.migrations``."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def _config(url: str, migrations_dir: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_dir.resolve()))
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return config


def upgrade(url: str, migrations_dir: Path) -> None:
    """Bring the database of ``url`` (owning role) to the newest version."""
    command.upgrade(_config(url, migrations_dir), "head")


def downgrade(url: str, migrations_dir: Path, revision: str = "base") -> None:
    """Take the schema back; ``base`` removes everything the migrations made."""
    command.downgrade(_config(url, migrations_dir), revision)
