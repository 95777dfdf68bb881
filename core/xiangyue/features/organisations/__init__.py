"""Organisations, their posts, who holds them from when to when, elections, and who may not sit where."""
