"""The API of accounts, roles and one's own account, under /api/v1."""

from __future__ import annotations

from xiangyue.api.setup import ApiBlueprint

bp = ApiBlueprint("accounts", __name__, description="Accounts, roles, rights and personal access tokens")

from xiangyue.features.accounts.api import accounts, me, roles  # noqa: E402

__all__ = ["accounts", "bp", "me", "roles"]
