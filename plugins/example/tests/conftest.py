"""The kit's fixtures; the tests' servers load this plugin alone."""

from __future__ import annotations

import pytest

pytest_plugins = ["xiangyue.sdk.testing"]


@pytest.fixture(scope="session")
def loaded_plugins() -> tuple[str, ...]:
    return ("errands",)
