"""The fixture ``kit``: the plugin that the tests load, on in two counties."""

from __future__ import annotations

import pytest

from xiangyue.testing.conformance import Kit, prepared
from xiangyue.testing.fixtures import County


@pytest.fixture(scope="module")
def kit(loaded_plugins: tuple[str, ...], hanyin: County, tongyu: County) -> Kit:
    """The first of ``loaded_plugins``, on in Hanyin and in Tongyu."""
    return prepared(loaded_plugins[0], hanyin, tongyu)
