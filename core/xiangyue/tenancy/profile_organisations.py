"""What a profile says of organisations: kinds of the county's own, those of the core that it goes without, and rules
on who may not sit where. The core's own kinds are written in the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from xiangyue.tenancy.profile_schema import Choice, Flag, Key, ListOf, Strict, Text, Whole

FAMILIES = ("party", "self_government", "congress", "government", "economic", "social")
LEVELS = ("county", "town", "village", "group")


@dataclass(frozen=True, slots=True)
class PostSpec:
    """A post of a kind of organisation. ``min`` and ``max``: its seats, ``max`` None for no limit; ``lead``: who holds
    it heads the organisation."""

    key: str
    name_zh: str
    name_en: str
    min: int = 0
    max: int | None = None
    lead: bool = False


@dataclass(frozen=True, slots=True)
class OrganisationKindSpec:
    """A kind of organisation. ``levels``: where it may stand; ``term_years`` None: no term; ``least`` and ``most``:
    how many people sit in it; ``source``: the rule it rests on; ``card``: names and posts are made known."""

    key: str
    name_zh: str
    name_en: str
    family: str
    levels: tuple[str, ...]
    posts: tuple[PostSpec, ...]
    term_years: int | None = None
    least: int | None = None
    most: int | None = None
    source: str = ""
    card: bool = False


@dataclass(frozen=True, slots=True)
class ExclusionSpec:
    """Who sits in a ``first`` (``leads_only``: heads it), and with ``near_relatives`` theirs too, holds no post in a
    ``second`` of the same village."""

    first: str
    second: str
    near_relatives: bool = False
    leads_only: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class OrganisationsSpec:
    """``without``: keys of the core's kinds that the county does not use."""

    without: tuple[str, ...] = ()
    kinds: tuple[OrganisationKindSpec, ...] = ()
    exclusions: tuple[ExclusionSpec, ...] = ()


class PostSchema(Strict):
    key = Key(required=True)
    name_zh = Text(required=True)
    name_en = Text(required=True)
    min = Whole(least=0, most=999, load_default=0)
    max = Whole(least=1, most=999, load_default=None)
    lead = Flag(load_default=False)


class OrganisationKindSchema(Strict):
    key = Key(required=True)
    name_zh = Text(required=True)
    name_en = Text(required=True)
    family = Choice(*FAMILIES, required=True)
    levels = ListOf(Choice(*LEVELS), required=True)
    posts = ListOf(fields.Nested(PostSchema), required=True)
    term_years = Whole(least=1, most=20, load_default=None)
    least = Whole(least=1, most=999, load_default=None)
    most = Whole(least=1, most=999, load_default=None)
    source = Text(blank=True, longest=200, load_default="")
    card = Flag(load_default=False)


class ExclusionSchema(Strict):
    first = Key(required=True)
    second = Key(required=True)
    near_relatives = Flag(load_default=False)
    leads_only = Flag(load_default=False)
    source = Text(blank=True, longest=200, load_default="")


class OrganisationsSchema(Strict):
    without = ListOf(Key(), load_default=list)
    kinds = ListOf(fields.Nested(OrganisationKindSchema), load_default=list)
    exclusions = ListOf(fields.Nested(ExclusionSchema), load_default=list)


def organisations_from(values: dict[str, Any]) -> OrganisationsSpec:
    """What the schema loaded, as unchangeable values."""
    return OrganisationsSpec(
        without=tuple(values["without"]),
        kinds=tuple(
            OrganisationKindSpec(
                **{
                    **kind,
                    "levels": tuple(kind["levels"]),
                    "posts": tuple(PostSpec(**post) for post in kind["posts"]),
                }
            )
            for kind in values["kinds"]
        ),
        exclusions=tuple(ExclusionSpec(**rule) for rule in values["exclusions"]),
    )
