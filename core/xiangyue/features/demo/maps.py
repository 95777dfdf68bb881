"""A map of the demonstration: made-up outlines for one village, whose grids lie beside each other like fields."""

from __future__ import annotations

from sqlalchemy import select

from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.features.grids.models import GridHousehold
from xiangyue.features.grids.queries_boundaries import outlines
from xiangyue.features.grids.service_boundaries import set_boundaries
from xiangyue.features.households.models import Household
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _

#: The village of the demonstration's own people; a corner of the made-up land in degrees.
VILLAGE = 610921107202_000
WEST, SOUTH = 108.4300, 32.8600
#: A grid's width and height, in degrees: some 560 m by 900 m.
WIDE, HIGH = 0.006, 0.008
#: Grids in a row from west to east.
IN_ROW = 4
#: Houses beside each other in a lot.
HOUSES_IN_ROW = 5


def draw(uow: Uow, village: int) -> int:
    """Outlines for a village and its leaf grids, the first of which overlaps the second by a strip; returns how many
    were drawn."""
    on = today()
    every = outlines(uow, village, on)
    leaves = [grid.id for grid in every if grid.leaf]
    rows = -(-len(leaves) // IN_ROW)
    drawn: dict[int, Json | None] = {}
    for n, id in enumerate(leaves):
        row, column = divmod(n, IN_ROW)
        # The last one reaches to the end of its row.
        east = float(IN_ROW if n == len(leaves) - 1 else column + 1)
        # Two surveys of one border: the map tells it.
        east += 0.05 if n == 0 and len(leaves) > 1 else 0
        drawn[id] = _lot(WEST + WIDE * column, SOUTH + HIGH * row, WEST + WIDE * east, SOUTH + HIGH * (row + 1))
    for grid in every:
        if grid.level == 1 and not grid.leaf:
            drawn[grid.id] = _lot(WEST, SOUTH, WEST + WIDE * IN_ROW, SOUTH + HIGH * rows)
    if drawn:
        set_boundaries(uow, boundaries=drawn, on=on, reason=_("Made up for the demonstration"))
    return len(drawn)


def locate(uow: Uow, village: int) -> int:
    """Made-up locations for the households of a village, each in the lot of its grid; returns how many have one."""
    done = 0
    for grid in outlines(uow, village, today()):
        if not grid.leaf or grid.boundary is None:
            continue
        west, south = grid.boundary["coordinates"][0][0]
        homes = select(Household).join(GridHousehold, GridHousehold.household_id == Household.id)
        inside = homes.where(GridHousehold.grid_id == grid.id).order_by(Household.code)
        for n, household in enumerate(uow.session.scalars(inside)):
            row, column = divmod(n, HOUSES_IN_ROW)
            x = west + WIDE * (column + 0.7) / (HOUSES_IN_ROW + 0.6) + 0.0001 * (n * 7 % 5)
            y = south + HIGH * (0.1 + 0.8 * (row % 8) / 8) + 0.0001 * (n * 3 % 7)
            household.location = f"{x:.6f},{y:.6f}"
            done += 1
    uow.session.flush()
    return done


def _lot(west: float, south: float, east: float, north: float) -> Json:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [[[round(x, 7), round(y, 7)] for x, y in corners]]}
