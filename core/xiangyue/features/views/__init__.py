"""Saved views (已存视图): the conditions, order and columns of a list under a name, for oneself or for the county."""
