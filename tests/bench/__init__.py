"""Benchmarks: ours against a reference in the same run. ``make bench`` runs them all, ``ONLY=name`` one."""
