"""What our tests and those of plugins share: real servers, counties, gates, and the conformance kit."""

from __future__ import annotations

import pytest

# Before any of them is imported: their assertions say what they compared.
pytest.register_assert_rewrite(
    *(f"{__name__}.{part}" for part in ("conformance", "fixtures", "homes", "live", "servers"))
)
