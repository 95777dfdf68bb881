"""The plugin's tests run on the servers and counties of ``xiangyue.testing``, with this plugin loaded and no other."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Programs that the tests start load no other plugin either.
os.environ["XIANGYUE_PLUGINS"] = ""

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

pytest_plugins = ["xiangyue.sdk.testing"]


@pytest.fixture(scope="session")
def loaded_plugins() -> tuple[str, ...]:
    return ("contact321",)
