"""Tokens: random, recognisable, checked before the database is asked."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangyue.access.tokens import (
    API_PREFIX,
    LINK_PREFIX,
    PREFIXES,
    SESSION_PREFIX,
    hint,
    is_token,
    matches,
    new_token,
    token_hash,
)

TOKEN, HASH = new_token(API_PREFIX)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_new_tokens_are_found_by_their_hash(prefix: str) -> None:
    made = dict(new_token(prefix) for _ in range(100))
    assert len(made) == 100
    for token, digest in made.items():
        assert token.startswith(prefix)
        assert token_hash(token, prefix) == digest == hashlib.sha256(token.encode()).digest()
        assert matches(token, digest)
        assert not matches(token, HASH)


def test_a_token_of_another_kind_is_none_here() -> None:
    assert token_hash(TOKEN, SESSION_PREFIX) is None
    assert token_hash(TOKEN, LINK_PREFIX) is None
    with pytest.raises(ValueError, match="unknown kind"):
        new_token("ghp_")


@given(st.integers(4, len(TOKEN) - 1), st.sampled_from("0aZ_ é"))
def test_every_typing_error_is_recognised(position: int, letter: str) -> None:
    typed = TOKEN[:position] + letter + TOKEN[position + 1 :]
    assert is_token(typed, API_PREFIX) == (typed == TOKEN)


@given(st.integers(4, len(TOKEN) - 2))
def test_two_swapped_letters_are_recognised(position: int) -> None:
    typed = TOKEN[:position] + TOKEN[position + 1] + TOKEN[position] + TOKEN[position + 2 :]
    assert is_token(typed, API_PREFIX) == (typed == TOKEN)


@pytest.mark.parametrize(
    "text",
    [None, "", "xyt_", TOKEN[:-1], TOKEN + "x", TOKEN.lower(), f" {TOKEN}"],
    ids=["none", "empty", "prefix", "cut off", "extended", "lower", "blank before"],
)
def test_cut_off_or_extended_text_is_no_token(text: str | None) -> None:
    assert token_hash(text, API_PREFIX) is None


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    assert token_hash(text, API_PREFIX) is None


def test_a_hint_shows_part_of_the_checksum_only() -> None:
    assert hint(TOKEN) == f"xyt_…{TOKEN[-4:]}"
