"""Divides villages into leaf grids by the county's size rule; pure: rows in, parts and reasons out, no database.

The households of a village stand in a line (house order, or from neighbour to neighbour where coordinates are known),
a leaf grid is a run of that line, and the best cut of the line is found exactly (``runs``). ADR 5 says why.
"""
