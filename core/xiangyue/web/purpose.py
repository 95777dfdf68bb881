"""The purpose somebody stated for reading sensitive facts: in a signed cookie for half an hour, bound to the session.

The API takes it with each request, as the header ``X-Purpose`` (UTF-8, percent-encoded).
"""

from __future__ import annotations

from urllib.parse import unquote

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from xiangyue.access.sensitive import LONGEST, SHORTEST

HEADER = "X-Purpose"
LASTS_SECONDS = 1800


def _cookie(session_cookie: str) -> str:
    return session_cookie.replace("session", "purpose")


def _signer(secret: str) -> URLSafeTimedSerializer:
    # The session's token is known to its browser and us alone; signing out ends the purpose with it.
    return URLSafeTimedSerializer(secret, salt="purpose")


def stated(request: Request, session_cookie: str) -> str:
    """The purpose that holds for this request, or ""."""
    if header := request.headers.get(HEADER, ""):
        text = unquote(header).strip()
        return text if SHORTEST <= len(text) <= LONGEST else ""
    kept = request.cookies.get(_cookie(session_cookie), "") if "Cookie" in request.headers else ""
    secret = request.cookies.get(session_cookie, "") if kept else ""
    if not secret:
        return ""
    try:
        return str(_signer(secret).loads(kept, max_age=LASTS_SECONDS))
    except BadSignature:
        return ""


def keep(response: Response, request: Request, session_cookie: str, purpose: str, *, secure: bool) -> None:
    """Let ``purpose`` hold from now on; "" ends it."""
    secret = request.cookies.get(session_cookie, "")
    if not purpose or not secret:
        response.delete_cookie(_cookie(session_cookie))
        return
    value = _signer(secret).dumps(purpose)
    response.set_cookie(
        _cookie(session_cookie),
        str(value),
        max_age=LASTS_SECONDS,
        httponly=True,
        secure=secure,
        samesite="Lax",
    )
