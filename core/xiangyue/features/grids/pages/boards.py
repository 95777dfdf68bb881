"""Boards to print: of one grid, of a village, of a town."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from xiangyue.errors import NotFound
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text, names
from xiangyue.features.grids import boards, boards_job
from xiangyue.features.grids.pages import bp
from xiangyue.features.grids.pages.lists import day_asked
from xiangyue.features.grids.policy import GRID_PRINT
from xiangyue.features.households.person_input import today
from xiangyue.files.poster import LANDSCAPE, ORIENTATIONS
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_tenant, current_uow
from xiangyue.web.shell import page

_NONE = UUID(int=0)


def _address() -> str:
    """Of any public board, with ``{token}`` where that stands: a job knows no address of its own."""
    return url_for("grids.board", token=_NONE, _external=True).replace(str(_NONE), "{token}")


def _orientation(text: str) -> str:
    return text if text in ORIENTATIONS else LANDSCAPE


@bp.get("/grids/<int:id>/board.pdf")
@requires(GRID_PRINT)
def print_board(id: int) -> Any:
    """The board of one grid as a sheet of A3 (``?orientation=portrait``)."""
    pattern = _address()
    wanted = boards.Boards(day_asked(), grid_id=id, orientation=_orientation(request.args.get("orientation", "")))
    uow = current_uow()
    if not boards.standing(uow, wanted):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    written, name = boards.print_boards(
        uow, wanted=wanted, county=current_tenant().name, address=lambda token: pattern.format(token=token)
    )
    return send_written(written, name)


@bp.route("/grids/boards", methods=["GET", "POST"])
@requires(GRID_PRINT)
def print_boards() -> Any:
    """All boards of an area in one file: at once, or by a job where they are many."""
    uow, pattern = current_uow(), _address()
    area = switch.asked_area(uow)
    typed = request.form or {"orientation": LANDSCAPE, "which": "leaf"}
    wanted = boards.Boards(
        day_asked(), area, leaf_only=typed.get("which") == "leaf",
        orientation=_orientation(typed.get("orientation", "")),
    )  # fmt: skip
    found = len(boards.standing(uow, wanted))
    if request.method == "POST" and found > boards.DIRECT:
        job = boards_job.start_boards(uow, wanted=wanted, address=pattern)
        return redirect(url_for("jobs.show_job", id=job.id), 303)
    if request.method == "POST" and found:
        written, name = boards.print_boards(
            uow, wanted=wanted, county=current_tenant().name, address=lambda token: pattern.format(token=token)
        )
        return send_written(written, name)
    back = url_for("grids.list_grids", area=code_text(area) if area else None)
    form = FormView(action=request.full_path.rstrip("?"), values=typed, cancel_url=back, id="boards")
    everything = boards.standing(uow, boards.Boards(wanted.on, area))
    leaves = boards.standing(uow, boards.Boards(wanted.on, area, leaf_only=True))
    return page(
        "grids/boards.html", 422 if request.method == "POST" else 200, form=form, back=back,
        area_name=names(uow, [area]).get(area, "") if area else "", orientations=list(ORIENTATIONS.items()),
        counts={"leaf": len(leaves), "all": len(everything)}, direct=boards.DIRECT, on=wanted.on, today=today(),
    )  # fmt: skip
