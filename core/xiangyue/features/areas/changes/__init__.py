"""Changes of areas (区划变更): rename, re-code, move, merge, split, create, close, each on a day, with a dry run and an
undo.

Codes of areas are never used for another area. What lies in an area goes along with it, in every table that has an
``area_code``, plugins' tables too. A household keeps its own number, although that begins with the code its village
had when it was registered: the number stands on papers and plates, stays unique because codes are not used again, and
is found as before.
"""
