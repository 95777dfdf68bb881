"""The kinds of organisations, posts and exclusions that every county has, from ``data/kinds.toml``."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from xiangyue.tenancy.profile_organisations import OrganisationsSchema, OrganisationsSpec, organisations_from


@lru_cache(maxsize=1)
def core_kinds() -> OrganisationsSpec:
    """In the order in which they are shown."""
    text = files("xiangyue.features.organisations").joinpath("data/kinds.toml").read_text(encoding="utf-8")
    return organisations_from(OrganisationsSchema().load(tomllib.loads(text)))
