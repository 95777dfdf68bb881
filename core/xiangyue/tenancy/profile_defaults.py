"""Marks and awards of a county whose profile names none, from ``data/defaults.toml``."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from xiangyue.tenancy.profile_schema import AwardSchema, MarkSchema
from xiangyue.tenancy.profile_types import AwardSpec, MarkSpec


@lru_cache(maxsize=1)
def _defaults() -> dict[str, Any]:
    return tomllib.loads(files("xiangyue.tenancy").joinpath("data/defaults.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def default_marks() -> tuple[MarkSpec, ...]:
    return tuple(MarkSpec(**MarkSchema().load(mark)) for mark in _defaults()["marks"])


@lru_cache(maxsize=1)
def default_awards() -> tuple[AwardSpec, ...]:
    return tuple(AwardSpec(**AwardSchema().load(award)) for award in _defaults()["awards"])
