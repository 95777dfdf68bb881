"""Grids (网格): who looks after which households, in levels, with history."""
