"""The profiles under tenants/ load with every town and village; all messages have their Chinese."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from xiangyue.tenancy.profile import load_profile, load_profiles

ROOT = Path(__file__).parents[2]
TENANCY = ROOT / "core" / "xiangyue" / "tenancy"


@pytest.mark.parametrize(
    ("slug", "code", "towns", "villages"),
    [
        ("hanyin", "610921", {"town": 10}, {"village_committee": 139, "community": 21}),
        (
            "tongyu",
            "220822",
            {"subdistrict": 3, "town": 8, "township": 8, "other": 3},
            {"village_committee": 172, "community": 30, "other": 3},
        ),
        (
            "shuangliao",
            "220382",
            {"subdistrict": 6, "town": 8, "township": 4, "other": 1},
            {"village_committee": 190, "community": 39, "other": 1},
        ),
        ("huarong", "430623", {"town": 12, "township": 2}, {"village_committee": 171, "community": 54}),
    ],
)
def test_real_counties(slug: str, code: str, towns: dict[str, int], villages: dict[str, int]) -> None:
    profile = load_profile(ROOT / "tenants" / slug, known_plugins=(), base_domain="localhost")
    assert (profile.slug, profile.area_code) == (slug, code)
    assert Counter(row.kind for row in profile.towns) == towns
    assert Counter(row.kind for row in profile.villages) == villages
    known = {row.code15 for row in profile.divisions}
    assert all(row.parent15 in known for row in profile.divisions[1:])
    assert profile.county.code15 == profile.code15
    assert profile.settings.allow_synthetic_people is True


def test_hanyin_has_ten_towns_and_160_villages() -> None:
    profile = load_profile(ROOT / "tenants" / "hanyin")
    assert (len(profile.towns), len(profile.villages)) == (10, 160)
    assert [town.short_name for town in profile.towns][6] == "漩涡"
    assert not [v.name for v in profile.villages if v.display_name.endswith(("委会", "委员会"))]


def test_all_together() -> None:
    profiles = load_profiles(ROOT / "tenants", base_domain="localhost")
    assert [profile.slug for profile in profiles] == ["hanyin", "huarong", "shuangliao", "tongyu"]


def test_each_folder_tells_its_source() -> None:
    for profile in load_profiles(ROOT / "tenants"):
        source = (Path(profile.file).parent / "SOURCE.md").read_text(encoding="utf-8")
        assert "2023-06-30" in source
        assert "china-division" in source


def test_the_documented_example_loads(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    (tmp_path / "tenant.toml").write_text(example.group(1), encoding="utf-8")
    profile = load_profile(tmp_path, base_domain="localhost")
    assert [plugin.name for plugin in profile.plugins] == ["contact321"]


def test_every_message_has_its_chinese() -> None:
    with (TENANCY / "translations" / "zh.po").open("rb") as stream:
        catalogue = read_po(stream, locale="zh")
    wanted = {
        message if isinstance(message, str) else message[0]
        for file in TENANCY.glob("*.py")
        for _line, message, _comments, _context in extract_from_file("python", file, keywords={"_": None, "_l": None})
    }
    holes = re.compile(r"%\(\w+\)[sd]")
    assert {message for message in wanted if not (catalogue.get(message) and catalogue[message].string)} == set()
    for message in wanted:
        assert sorted(holes.findall(message)) == sorted(holes.findall(str(catalogue[message].string))), message
