"""File names from outside, and the header that gives them back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from xiangyue.files.names import content_disposition, safe_name


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("花名册 2026.xlsx", "花名册 2026.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\li\\名单.xlsx", "名单.xlsx"),
        ("a\r\nSet-Cookie: x=1.xlsx", "aSet-Cookie_ x=1.xlsx"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ('a<b>"c"|?*.csv', "a_b__c____.csv"),
        ("  .hidden. ", "hidden"),
        ("CON.xlsx", "_CON.xlsx"),
        ("lpt1", "_lpt1"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ("\ud800.xlsx", "xlsx"),
    ],
)
def test_safe_names(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


def test_long_names_keep_their_ending() -> None:
    name = safe_name("名" * 300 + ".xlsx")
    assert name.endswith("名.xlsx")
    assert len(name.encode()) <= 200


@given(st.text())
def test_any_name_becomes_a_safe_one(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name.encode()) <= 204
    assert not set(name) & set('/\\<>:"|?*')
    assert all(unicodedata.category(letter)[0] != "C" for letter in name)
    assert safe_name(name) == name


def test_headers() -> None:
    assert content_disposition("report.pdf", inline=True) == 'inline; filename="report.pdf"'
    assert content_disposition("花名册 2026.xlsx") == (
        "attachment; filename=\"_ 2026.xlsx\"; filename*=UTF-8''%E8%8A%B1%E5%90%8D%E5%86%8C%202026.xlsx"
    )
    assert content_disposition("花名册.xlsx").startswith('attachment; filename="download.xlsx"; filename*=')


@given(st.text())
def test_browsers_read_back_the_safe_name(text: str) -> None:
    header = content_disposition(text)
    assert header.isascii()
    assert "\r" not in header
    assert "\n" not in header
    kind, options = parse_options_header(header)
    assert (kind, options["filename"]) == ("attachment", safe_name(text))
