"""Writes, each with its declared permission; none for one's own things and for steps before sign-in."""
