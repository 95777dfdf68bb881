"""All counties of the country by code, so that any of them can come aboard without a profile of its own.

Source: statistical division codes of the National Bureau of Statistics, as of 2023-06-30
(``data/SOURCE.md``).
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from xiangyue.errors import Invalid, NotFound
from xiangyue.i18n import _
from xiangyue.tenancy.division_names import county_english, county_pinyin
from xiangyue.tenancy.divisions import county_row
from xiangyue.tenancy.hosts import RESERVED_SLUGS, slug_fault
from xiangyue.tenancy.profile_defaults import default_awards, default_marks
from xiangyue.tenancy.profile_types import Profile

_LONGEST_LABEL = 63


@dataclass(frozen=True, slots=True)
class County:
    """``code6`` is the code of six digits; ``city`` the prefecture, which may be a mere heading of the
    register.
    """

    code6: str
    name: str
    city: str
    province: str


@lru_cache(maxsize=1)
def all_counties() -> tuple[County, ...]:
    """Every county-level division, by code."""
    text = files("xiangyue.tenancy").joinpath("data/counties.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(County(row["code12"][:6], row["county"], row["city"], row["province"]) for row in rows)


@lru_cache(maxsize=1)
def _by_code() -> dict[str, County]:
    return {county.code6: county for county in all_counties()}


def find_county(code: str | int) -> County:
    """The county with this code: six digits, or the 12 or 15 of its own division. Raises NotFound."""
    text = str(code).strip()
    county = _by_code().get(text[:6]) if len(text) in (6, 12, 15) and not text[6:].strip("0") else None
    if county is None:
        raise NotFound(_("No county has the code %(code)s. Search it by name.", code=text))
    return county


def search(text: str, *, limit: int = 20) -> list[County]:
    """Counties where each word of ``text`` begins the code, is part of county, city or province, or begins
    the pinyin of the county's name; best first (whole name, beginning of it, the rest), then by code.
    """
    words = text.lower().split()
    if not words:
        return []
    ranked: list[tuple[int, County]] = []
    for county in all_counties():
        ranks = [_rank(word, county) for word in words]
        if None not in ranks:
            ranked.append((min(rank for rank in ranks if rank is not None), county))
    ranked.sort(key=lambda found: (found[0], found[1].code6))
    return [county for _rank_, county in ranked[:limit]]


def _rank(word: str, county: County) -> int | None:
    if word in (county.code6, county.name):
        return 0
    if county.name.startswith(word) or county.code6.startswith(word):
        return 1
    if word in county.name:
        return 2
    if word.isascii() and word.isalpha():
        pinyin = county_pinyin(county.name)
        return 0 if pinyin == word else 1 if pinyin.startswith(word) else None
    if word in county.city or word in county.province:
        return 3
    return None


@lru_cache(maxsize=1)
def _stem_counts() -> Counter[str]:
    return Counter(county_pinyin(county.name) for county in all_counties())


def default_slug(county: County) -> str:
    """Pinyin of the name where no other county has the same, else pinyin and code: ``hanyin``,
    ``chaoyang-110105``.
    """
    stem = county_pinyin(county.name)
    if _stem_counts()[stem] == 1 and stem not in RESERVED_SLUGS and len(stem) <= _LONGEST_LABEL:
        return stem
    return f"{stem[: _LONGEST_LABEL - len(county.code6) - 1]}-{county.code6}"


def minimal_profile(code6: str | int, slug: str | None = None) -> Profile:
    """A profile of the county alone: its division, default marks and awards. Towns and villages come by a profile or an
    uploaded file of divisions.

    Raises NotFound for an unknown code and Invalid for a slug that cannot be a host label.
    """
    county = find_county(code6)
    if slug is None:
        slug = default_slug(county)
    if fault := slug_fault(slug):
        raise Invalid({"slug": [" ".join(part for part in fault if part)]})
    return Profile(
        slug=slug,
        name=county.name,
        name_en=county_english(county.name),
        area_code=county.code6,
        province=county.province,
        city=county.city,
        divisions=(county_row(county.code6, county.name),),
        marks=default_marks(),
        awards=default_awards(),
    )
