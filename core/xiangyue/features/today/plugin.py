"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="today",
        translations=Path(__file__).parent / "translations",
    )
