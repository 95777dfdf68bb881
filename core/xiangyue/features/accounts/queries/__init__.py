"""Reads: accounts and their grants, roles, one's own sessions and tokens, and why somebody may do something."""
