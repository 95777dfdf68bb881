"""Accounts (账号), sign-in, second factor, sessions, tokens, roles and grants."""
