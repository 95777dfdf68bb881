"""Demonstration data: accounts and a synthetic roster. Nothing here runs on a live instance."""

from xiangyue.features.demo.accounts import DemoAccount, accounts, ensure_accounts

__all__ = ["DemoAccount", "accounts", "ensure_accounts"]
