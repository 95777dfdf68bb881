"""Usual names of organisations and posts: each means one post of one kind, which the core's kinds have."""

from __future__ import annotations

from collections import Counter

import pytest

from xiangyue.features.organisations.kinds import core_kinds
from xiangyue.features.organisations.usual_names import kind_synonyms, meant_post, usual_names
from xiangyue.tenancy.profile_organisations import PostSpec

KINDS = {kind.key: kind for kind in core_kinds().kinds}


def test_every_name_is_of_one_post_that_there_is() -> None:
    assert usual_names().keys() <= KINDS.keys()
    kinds = Counter(kind.name_zh for kind in KINDS.values())
    for key, table in usual_names().items():
        posts = {post.key: post.name_zh for post in KINDS[key].posts}
        assert table["source"]
        kinds.update(table.get("also", ()))
        given = {name: names for name, names in table.items() if name not in ("source", "also")}
        assert given.keys() <= posts.keys(), key
        names = Counter([*posts.values(), *(name for names in given.values() for name in names)])
        assert [name for name, number in names.items() if number > 1] == [], key
    assert [name for name, number in kinds.items() if number > 1] == []


class Named:
    def __init__(self, kind: str, post: PostSpec) -> None:
        self.key, self.name, self.name_en = f"{kind}.{post.key}", post.name_zh, post.name_en


@pytest.mark.parametrize(
    ("kind", "written", "within", "means"),
    [
        ("government", "镇长", (), "head"),
        ("government", "副 乡长", (), "deputy"),
        ("government", "城关镇镇长", ("城关镇人民政府", "城关镇"), "head"),
        ("government", "常务副县长", (), None),
        ("government", "主任", (), None),
        ("department", "民政局局长", ("民政局", "汉阴县"), "head"),
        ("department", "副主任", (), "deputy"),
        ("department", "民政局办公室主任", ("民政局", "汉阴县"), None),
        ("village_committee", "村长", (), "head"),
        ("village_committee", "Deputy head", (), "deputy"),
        ("party_branch", "村支书", (), "secretary"),
        ("party_branch", "第一书记", (), None),
        ("collective_economy", "监事长", (), None),
        ("of_the_county", "镇长", (), None),
    ],
)
def test_what_is_written_means(kind: str, written: str, within: tuple[str, ...], means: str | None) -> None:
    posts = [Named(kind, post) for post in KINDS[kind if kind in KINDS else "government"].posts]
    found = meant_post(posts, kind, written, within)
    assert (found.key.rpartition(".")[2] if found else None) == means


def test_a_post_that_is_called_so_comes_before_a_usual_name() -> None:
    own = Named("government", PostSpec("mayor", "镇长", "Mayor"))
    posts = [Named("government", post) for post in KINDS["government"].posts]
    assert meant_post([*posts, own], "government", "镇长") is own
    assert meant_post([*posts, own], "government", "城关镇镇长", ("城关镇",)) is own


@pytest.mark.parametrize("name", ["应急 专干", "主任（兼）", "主任(兼)"])
def test_a_post_is_found_by_its_name_however_blanks_and_brackets_stand(name: str) -> None:
    own = Named("government", PostSpec("own", name, "On duty"))
    assert meant_post([own], "government", name) is own
    assert meant_post([own], "government", name.replace(" ", "　").replace("(", "（").replace(")", "）")) is own


def test_kinds_of_the_county_have_no_other_names() -> None:
    assert "村委会" in kind_synonyms("village_committee")
    assert kind_synonyms("of_the_county") == ()
