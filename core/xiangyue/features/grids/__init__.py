"""Grids (网格): a village's division into leaf grids with its history, who is in charge, and a public board.

What a grid was on a day stands in versions, which household lay in it in ``grid_household``; today is a day like any
other, so nothing has to be switched at midnight. Every change is first thought out on a `division.Division`, which is
checked as a whole, and then written as the difference (`writing.Writer`), with what puts it back.
"""
