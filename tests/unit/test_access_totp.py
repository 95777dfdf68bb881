"""Second factor: each code once, one step of tolerance, recovery codes once."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.access.totp import (
    match_recovery_code,
    new_recovery_codes,
    new_secret,
    provisioning_uri,
    qr_svg,
    verify,
)

SECRET = new_secret()
NOW = 1_790_000_000.0
STEP = int(NOW) // 30


def code(step: int) -> str:
    return pyotp.TOTP(SECRET).generate_otp(step)


def test_rfc_6238_vector() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the RFC's "12345678901234567890"
    assert verify(secret, "287082", 0, now=59) == 1
    assert verify(secret, "081804", 0, now=1111111109) == 37037036


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_one_step_early_or_late_is_accepted(late: int) -> None:
    assert verify(SECRET, code(STEP + late), 0, now=NOW) == STEP + late


@pytest.mark.parametrize("late", [-3, -2, 2, 3])
def test_further_away_is_not(late: int) -> None:
    assert verify(SECRET, code(STEP + late), 0, now=NOW) is None


def test_a_code_is_good_once_and_none_before_it_afterwards() -> None:
    used = verify(SECRET, code(STEP), 0, now=NOW)
    assert used == STEP
    assert verify(SECRET, code(STEP), used, now=NOW) is None
    assert verify(SECRET, code(STEP), used, now=NOW + 29) is None
    assert verify(SECRET, code(STEP - 1), used, now=NOW) is None
    assert verify(SECRET, code(STEP + 1), used, now=NOW + 30) == STEP + 1


def test_blanks_and_full_width_digits_are_forgiven() -> None:
    right = code(STEP)
    assert verify(SECRET, f" {right[:3]} {right[3:]} ", 0, now=NOW) == STEP
    assert verify(SECRET, "".join(chr(ord(digit) + 0xFEE0) for digit in right), 0, now=NOW) == STEP


@given(st.text(max_size=12))
def test_anything_else_is_refused(text: str) -> None:
    near = {code(STEP + late) for late in (-1, 0, 1)}
    if "".join(text.split()) not in near:
        assert verify(SECRET, text, 0, now=NOW) is None


def test_the_address_says_county_and_login() -> None:
    parts = urlsplit(provisioning_uri(SECRET, "zhangsan", "汉阴县"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": ["汉阴县"]}


def test_the_qr_code_suits_a_strict_content_policy() -> None:
    svg = str(qr_svg(provisioning_uri(SECRET, "zhangsan", "汉阴县"), '"><script>'))
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == '"><script>'
    assert root.get("viewBox")
    assert not re.search(r"\bstyle=|<style|<script|\bhref=|\bon\w+=", svg)
    assert {element.tag for element in root.iter()} <= {"svg", "g", "path"}


def test_recovery_codes_work_once_each() -> None:
    codes, hashes = new_recovery_codes()
    assert len(set(codes)) == len(set(hashes)) == 10
    assert not any(one.replace("-", "") in "".join(hashes) for one in codes)
    for text in codes:
        found = match_recovery_code(f" {text.upper().replace('-', ' ')} ", hashes)
        assert found is not None
        hashes.remove(found)
        assert match_recovery_code(text, hashes) is None
    assert hashes == []


def test_wrong_recovery_codes_match_nothing() -> None:
    _, hashes = new_recovery_codes()
    for text in ("", "abcd-efgh-jkmn-pqrs", hashes[0], "\ud800"):
        assert match_recovery_code(text, hashes) is None
