"""Ten-household groups (十户一组, 十户联防): some eight to twelve neighbours within one leaf grid, with a head.

Who belonged together on a day stays answerable; groups go along when grids change, and come back with an undo.
"""
