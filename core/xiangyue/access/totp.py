"""Second factor: time-based codes (RFC 6238) and recovery codes for a lost phone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import unicodedata
from collections.abc import Sequence

import pyotp
import segno
from markupsafe import Markup, escape

from xiangyue.access.passwords import READABLE

STEP_SECONDS = 30
WINDOW = 1
RECOVERY_CODES = 10


def new_secret() -> str:
    """A fresh secret: 32 characters of base32 (160 bits). Store it encrypted."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, login: str, issuer: str) -> str:
    """The ``otpauth://`` address an authenticator app reads. ``issuer`` is the county's name."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=login, issuer_name=issuer)


def qr_svg(uri: str, label: str) -> Markup:
    """The address as an inline SVG that fills its box. No script, no style, no size: fits a strict CSP.

    ``label`` is what a screen reader says. Black on white in any theme, or phones cannot read it.
    """
    drawing: str = segno.make(uri, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True
    )
    head = f'<svg role="img" aria-label="{escape(label)}" '
    return Markup(drawing.replace("<svg ", head, 1))  # noqa: S704 - segno's own output; the label is escaped


def verify(secret: str, code: str, last_used_step: int, now: float | None = None) -> int | None:
    """The time step of a right code, to be stored as ``last_used_step``; None for a wrong one.

    One step early or late is accepted (clocks differ); a step not after ``last_used_step`` is not, so a code
    read over somebody's shoulder is good for nothing. ``now`` in seconds since 1970.
    """
    digits = "".join(unicodedata.normalize("NFKC", code).split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    current = int(time.time() if now is None else now) // STEP_SECONDS
    found: int | None = None
    for step in range(current - WINDOW, current + WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits) and step > last_used_step and found is None:
            found = step
    return found


def new_recovery_codes() -> tuple[list[str], list[str]]:
    """(codes to print, hashes to store). Each code is four groups of four (79 bits) and is good once."""
    codes = [
        "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]
    return codes, [_hash(code) for code in codes]


def match_recovery_code(code: str, hashes: Sequence[str]) -> str | None:
    """The stored hash this code matches, for the caller to remove, or None. Case and hyphens don't matter."""
    given = _hash(code)
    found: str | None = None
    for stored in hashes:
        if hmac.compare_digest(given, stored):
            found = stored
    return found


def _hash(code: str) -> str:
    plain = unicodedata.normalize("NFKC", code).lower()
    plain = "".join(character for character in plain if character.isalnum())
    return hashlib.sha256(b"xiangyue recovery code " + plain.encode("utf-8", "surrogatepass")).hexdigest()
