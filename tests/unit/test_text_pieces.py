"""Addresses in pieces: cut in front of digits, compared in one plain form."""

from __future__ import annotations

import pytest

from xiangyue.text.pieces import cut, pieces, plain, tails


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("漩涡镇堰坪村三组12号", ["漩涡镇堰坪村三组", "12号"]),
        ("堰坪村5组12号附1", ["堰坪村", "5组", "12号附", "1"]),
        ("３组 A 栋\n2单元", ["3组a栋", "2单元"]),
        ("7", ["7"]),
        ("", []),
    ],
)
def test_an_address_is_cut_in_front_of_its_numbers(text: str, expected: list[str]) -> None:
    found = cut(plain(text))
    assert found == expected
    assert "".join(found) == plain(text)


def test_the_number_in_the_village_is_a_piece_and_no_piece_comes_twice() -> None:
    assert pieces("6109211002000012", "三组12号三组12号") == ["0012", "三组", "12号三组", "12号"]
    assert pieces("610921100200", "") == ["610921100200"]


def test_every_suffix() -> None:
    assert list(tails("12号")) == ["12号", "2号", "号"]
