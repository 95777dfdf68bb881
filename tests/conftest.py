"""Fixtures for every test: real servers and the application; sockets to elsewhere are blocked."""

from __future__ import annotations

import os

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

from xiangyue import i18n

# The core is tested without any plugin, whatever is installed here; programs that tests start inherit it.
os.environ["XIANGYUE_PLUGINS"] = ""

# Whether a test passes must not depend on how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

pytest_plugins = [
    "xiangyue.testing.servers",
    "xiangyue.testing.homes",
    "xiangyue.testing.fixtures",
    "xiangyue.testing.live",
    "xiangyue.testing.workers",
]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests reach this machine only: loopback and Unix sockets. pytest-socket lifts it after each test.

    Each begins in the default language, whatever a request of the one before it spoke.
    """
    i18n.set_locale(i18n.DEFAULT_LOCALE)
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
