"""Demonstration data: the accounts and the synthetic roster that ``make demo`` shows."""
