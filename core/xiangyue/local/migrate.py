"""``python -m xiangyue.local.migrate``: bring the database of the settings to the newest version.

A process of its own, so that the supervisor stays small and can end it.
"""

from __future__ import annotations

from xiangyue.config import Settings
from xiangyue.plugin.migrations import upgrade_all
from xiangyue.runtime import Runtime


def main() -> None:
    """Plugins' tables too; one that fails says why on its page and in ``xiangyue plugin list``."""
    settings = Settings.load()
    upgrade_all(settings.migration_database_url, settings.migrations_dir, Runtime(settings).registry)


if __name__ == "__main__":
    main()
