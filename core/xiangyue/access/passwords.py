"""Passwords: hashing with Argon2id, and telling people in time which ones would be guessed.

Text is brought to NFKC before hashing, so that a full-width letter from an input method is the same password.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from functools import lru_cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l

MIN_LENGTH = 10
MAX_LENGTH = 256

#: Letters and digits that survive being read out over the telephone or copied by hand: no 0 O 1 l i.
READABLE = "23456789abcdefghjkmnpqrstuvwxyz"

# OWASP's second choice: 19 MiB, two passes, about 30 ms; ten sign-ins at once stay under 200 MiB.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_LEET = str.maketrans({"@": "a", "4": "a", "$": "s", "5": "s", "0": "o", "3": "e", "1": "i", "!": "i", "7": "t"})
_SYLLABLE = (
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|"
    "ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|uo|ui|ue|er|[aoeiuv])"
)
# hanyin2024, wangfang@1988, 1314woaini: Chinese words in Latin letters, with or without a number.
_WORD_AND_NUMBER = re.compile(rf"[\d\W_]{{0,8}}(?:{_SYLLABLE}){{1,5}}[\d\W_]{{0,8}}")
_MOSTLY_DIGITS = re.compile(r"[a-z]{0,3}[\d\W_]+[a-z]{0,3}")
_REPEATED = re.compile(r"(.{1,5}?)\1+.{0,2}")
_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "!@#$%^&*()",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.",
)
_RUN = 4


def hash_password(password: str) -> str:
    """Argon2id in PHC form, with its own salt. Strength is checked before, by ``check_strength``."""
    return _hasher.hash(_prepare(password))


def verify_password(stored: str | None, password: str) -> tuple[bool, bool]:
    """(right, needs_rehash). Without a hash (None or "", an unknown login) it takes as long and is wrong."""
    usable = bool(stored) and len(password) <= MAX_LENGTH
    try:
        _hasher.verify(stored if usable and stored else _dummy(), _prepare(password[:MAX_LENGTH]))
    except (VerificationError, InvalidHashError):
        return False, False
    return (True, _hasher.check_needs_rehash(stored)) if usable and stored else (False, False)


def check_strength(password: str, login: str, name: str, county: str = "") -> list[LazyText]:
    """What speaks against this password, ready to be shown; empty when it will do.

    ``name`` is the person's (a Chinese name is also looked for in pinyin), ``county`` the slug or name.
    """
    text = unicodedata.normalize("NFKC", password).lower()
    stem = text.strip("0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    messages: list[LazyText] = []
    if len(text) < MIN_LENGTH:
        messages.append(_l("Use at least %(n)d characters.", n=MIN_LENGTH))
    if len(password) > MAX_LENGTH:
        messages.append(_l("Use at most %(n)d characters.", n=MAX_LENGTH))
        return messages
    if any(word in text for word in _own_words(login, name, county)):
        messages.append(_l("Leave out your sign-in name, your own name and the name of the county."))
    common = common_passwords()
    if any(word in common for word in (text, stem, text.translate(_LEET), stem.translate(_LEET))):
        messages.append(_l("This password is among those that are tried first. Choose another one."))
    elif _is_run(text) or _REPEATED.fullmatch(text) or len(set(text)) <= 3:
        messages.append(_l("Don't repeat characters or run along the keyboard."))
    elif _MOSTLY_DIGITS.fullmatch(text):
        messages.append(_l("Birthdays, telephone and identity numbers are tried first. Put several words together."))
    elif _WORD_AND_NUMBER.fullmatch(text):
        messages.append(_l("A name or word with a number is guessed quickly. Put several unrelated words together."))
    return messages


def one_time_password() -> str:
    """A password to tell somebody, to be changed at first use: three groups of four, 59 bits."""
    while True:
        groups = ["".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(3)]
        password = "-".join(groups)
        if not check_strength(password, "", ""):
            return password


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The bundled list of passwords and stems that are tried first."""
    text = files("xiangyue.access").joinpath("data/common_passwords.txt").read_text("utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _hasher.hash(secrets.token_bytes(16))


def _prepare(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _own_words(login: str, name: str, county: str) -> set[str]:
    words = {login.lower(), login.lower().partition("@")[0]}
    for text in (name, county):
        words |= {text.lower().replace(" ", ""), _pinyin(text)}
    # Two Chinese characters are a whole name; two Latin letters are in half of all passwords.
    return {word for word in words if len(word) >= (2 if not word.isascii() else 4)}


def _pinyin(text: str) -> str:
    if not text or text.isascii():
        return ""
    from pypinyin import lazy_pinyin  # its tables are large and only this page needs them

    return "".join(lazy_pinyin(text)).lower()


def _is_run(text: str) -> bool:
    """Whether at most three characters remain when runs along a row (four or more, either way) are cut."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    position = left = 0
    while position < len(text):
        length = _RUN - 1
        while position + length < len(text) and any(text[position : position + length + 1] in r for r in rows):
            length += 1
        if length >= _RUN:
            position += length
        else:
            left += 1
            position += 1
    return left <= 3
