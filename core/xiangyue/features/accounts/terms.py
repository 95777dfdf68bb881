"""States, sort keys and limits that both the rules and the API's schemas speak of."""

from __future__ import annotations

ACTIVE, DISABLED = "active", "disabled"
#: What a list can be narrowed to; ``invited`` has not set a password yet.
STATES = (ACTIVE, "invited", "locked", DISABLED)
SORTS = ("name", "login", "last_sign_in_at")
TOKEN_MAX_DAYS = 365
