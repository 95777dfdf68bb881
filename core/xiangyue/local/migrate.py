"""``python -m xiangyue.local.migrate``: bring the database of the settings to the newest version.

A process of its own, so that the supervisor stays small and can end it.
"""

from __future__ import annotations

from xiangyue.config import Settings
from xiangyue.db.migrate import upgrade


def main() -> None:
    settings = Settings.load()
    upgrade(settings.migration_database_url, settings.migrations_dir)


if __name__ == "__main__":
    main()
