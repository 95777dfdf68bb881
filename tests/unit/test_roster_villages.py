"""Every village of the counties whose profiles come along is found by its own names."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiangyue.features.imports.roster_areas import AreaRow, ListAreaIndex
from xiangyue.tenancy.profile import load_profile

PROFILES = Path(__file__).resolve().parents[2] / "tenants"


@pytest.mark.parametrize("slug", ["hanyin", "tongyu", "shuangliao", "huarong"])
def test_every_village_is_found_by_its_names(slug: str) -> None:
    divisions = load_profile(PROFILES / slug).divisions
    rows = [AreaRow(d.code15, d.level, d.name, d.display_name, d.parent15) for d in divisions]
    index, towns = ListAreaIndex(rows), {row.code: row for row in rows if row.level == "town"}
    villages = [row for row in rows if row.level == "village"]
    assert len(villages) > 100
    lost = [
        (towns[row.parent or 0].name, name)
        for row in villages
        for name in (row.official_name, row.name, towns[row.parent or 0].name + row.name)
        if index.find(towns[row.parent or 0].official_name, name).code != row.code
    ]
    assert lost == []
