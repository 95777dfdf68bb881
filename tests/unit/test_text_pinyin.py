"""Pinyin: order, initials, and what a name is found by."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.text.pinyin import fold, initials, sort_key, suffixes, syllables

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("王德福", "wang738b de5fb7 fu798f"),
        ("单雄信", "shan5355 xiong96c4 xin4fe1"),
        ("吴·木子", "wu5434 mu6728 zi5b50"),
        ("刘 洋", "liu5218 yang6d0b"),
        ("欧阳锋", "ou6b27 yang9633 feng950b"),
        ("𠮷", "{020bb7"),
        ("", ""),
    ],
)
def test_sort_keys(name: str, key: str) -> None:
    assert sort_key(name) == key


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("单雄信", "shan"),
        ("仇英", "qiu"),
        ("解缙", "xie"),
        ("区寄", "ou"),
        ("曾国藩", "zeng"),
        ("查良镛", "zha"),
        ("任建", "ren"),
        ("朴树", "piao"),
        ("覃辉", "qin"),
        ("翟明", "zhai"),
        ("吕布", "lv"),
        ("华佗", "hua"),
        ("万俟卨", "mo"),
        ("尉迟恭", "yu"),
        ("长青", "chang"),
    ],
)
def test_surnames_have_their_own_readings(name: str, reading: str) -> None:
    assert syllables(name)[0] == reading


def test_places_are_not_read_as_surnames() -> None:
    assert syllables("解放村", person=False) == ["jie", "fang", "cun"]
    assert syllables("单家村", person=False)[0] == "dan"
    assert sort_key("解放村", person=False).startswith("jie89e3")


def test_order_is_by_character_then_pinyin() -> None:
    names = [
        "张秀英",
        "王德福",
        "汪安",
        "陈桂兰",
        "王安",
        "李长青",
        "吴·木子",
        "汪德",
        "李安",
        "安",
        "𠮷田",
        "黎明",
    ]
    assert sorted(names, key=sort_key) == [
        "安",
        "陈桂兰",
        "李安",
        "李长青",
        "黎明",
        "汪安",
        "汪德",
        "王安",
        "王德福",
        "吴·木子",
        "张秀英",
        "𠮷田",
    ]


def test_initials() -> None:
    assert [initials(n) for n in ("王德福", "曾国藩", "吴·木子", "Tom", "")] == [
        "wdf",
        "zgf",
        "wmz",
        "tom",
        "",
    ]


def test_suffixes() -> None:
    assert suffixes("王德福") == ["王德福", "德福", "福", "wdf", "df", "wangdefu", "defu", "fu"]
    assert suffixes("吴·木子") == ["吴木子", "木子", "子", "wmz", "mz", "wumuzi", "muzi", "zi"]
    assert suffixes("鄂 A") == ["鄂a", "a", "ea"]
    assert suffixes("") == []


@given(HAN)
def test_keys_are_ascii_and_suffixes_are_found_from_every_character(name: str) -> None:
    key = sort_key(name)
    assert key.isascii()
    assert key == key.strip()
    found = suffixes(name)
    assert len(found) == len(set(found))
    assert all(s == fold(s) for s in found)
    parts = syllables(name)
    for i in range(len(name)):
        assert {name[i:], "".join(parts[i:])} <= set(found)
        assert any(suffix.startswith(initials(name)[i:]) for suffix in found)


@given(HAN, HAN)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert (sort_key(one) == sort_key(other)) == (one == other)


def test_readings_are_loaded_at_the_first_need_without_the_phrase_table() -> None:
    program = (
        "import sys, xiangyue.text.pinyin as p\n"
        "assert p._readings.cache_info().currsize == 0\n"
        "print(p.initials('王德福'), 'pypinyin' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wdf", "False"]
