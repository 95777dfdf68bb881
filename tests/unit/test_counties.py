"""Any county of the register can come aboard by its code."""

from __future__ import annotations

import pytest

from xiangyue.errors import Invalid, NotFound
from xiangyue.tenancy.counties import County, all_counties, default_slug, find_county, minimal_profile, search
from xiangyue.tenancy.hosts import host_fault, slug_fault

HANYIN = County("610921", "汉阴县", "安康市", "陕西省")


def test_every_county_has_a_valid_minimal_profile() -> None:
    profiles = [minimal_profile(county.code6) for county in all_counties()]
    assert len(profiles) == 2978
    assert len({profile.slug for profile in profiles}) == 2978
    for profile in profiles:
        assert slug_fault(profile.slug) is None, profile
        assert profile.slug.isascii()
        (row,) = profile.divisions
        assert (row.level, row.code15, row.parent15) == ("county", int(profile.area_code) * 10**9, None)
        assert profile.name == row.name
        assert profile.name_en[0].isupper()
        assert profile.name_en.isprintable()
        assert max(len(profile.name), len(profile.name_en)) <= 120


def test_minimal_profile() -> None:
    profile = minimal_profile("610921")
    assert (profile.slug, profile.name, profile.name_en) == ("hanyin", "汉阴县", "Hanyin County")
    assert (profile.province, profile.city, profile.locale) == ("陕西省", "安康市", "zh")
    assert profile.settings.allow_synthetic_people is False
    assert [award.key for award in profile.awards] == ["safe_family"]
    assert "party_member" in {mark.key for mark in profile.marks}


def test_a_shared_name_takes_its_code() -> None:
    assert default_slug(find_county("110105")) == "chaoyang-110105"
    assert default_slug(find_county("211321")) == "chaoyang-211321"


def test_a_slug_of_ones_own() -> None:
    assert minimal_profile("110105", slug="chaoyang").slug == "chaoyang"
    with pytest.raises(Invalid) as caught:
        minimal_profile("110105", slug="console")
    assert list(caught.value.fields) == ["slug"]


@pytest.mark.parametrize("code", ["610921", 610921, "610921000000", 610921000000000])
def test_find(code: str | int) -> None:
    assert find_county(code) == HANYIN


@pytest.mark.parametrize("code", ["610999", "", "6109", "610921107000", "abc"])
def test_unknown_code(code: str) -> None:
    with pytest.raises(NotFound):
        find_county(code)


@pytest.mark.parametrize("text", ["汉阴", "汉阴县", "610921", "hanyin", "HANYIN", "陕西 汉阴", "安康 hany", " 汉阴 "])
def test_search(text: str) -> None:
    assert search(text) == [HANYIN]


def test_search_order_and_limit() -> None:
    found = search("朝阳")
    assert [county.name for county in found[:3]] == ["朝阳区", "朝阳县", "朝阳区"]
    assert {county.city for county in found[3:]} == {"朝阳市"}
    assert search("朝阳", limit=1) == found[:1]
    assert len(search("陕西", limit=10)) == 10
    assert (search(""), search("不存在的地方")) == ([], [])


@pytest.mark.parametrize("slug", ["hanyin", "a", "a1", "chaoyang-110105", "x" * 63])
def test_good_slugs(slug: str) -> None:
    assert slug_fault(slug) is None


@pytest.mark.parametrize(
    "slug", ["", "www", "localhost", "1a", "-a", "a-", "a--b", "A", "a.b", "a_b", "汉阴", "x" * 64]
)
def test_bad_slugs(slug: str) -> None:
    assert slug_fault(slug) is not None


@pytest.mark.parametrize("host", ["xy.hanyin.gov.cn", "a.b", "xn--fiqs8s.cn", "notexample.org"])
def test_good_hosts(host: str) -> None:
    assert host_fault(host, base_domain="example.org") is None


@pytest.mark.parametrize(
    "host",
    ["localhost", "a..b", "-a.cn", "a.cn.", "a_b.cn", "A.cn", "a.cn:80", "http://a.cn", "1.2.3.4", "汉阴.cn"],
)
def test_bad_hosts(host: str) -> None:
    assert host_fault(host) is not None


@pytest.mark.parametrize("host", ["example.org", "a.example.org", "a.b.example.org"])
def test_hosts_under_the_base_domain(host: str) -> None:
    assert host_fault(host, base_domain="example.org") is not None
    assert host_fault(host) is None
