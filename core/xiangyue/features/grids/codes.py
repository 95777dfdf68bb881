"""Codes of grids (一格一码): by the county's template, given once and never to another."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.grids.models import Grid, GridCode
from xiangyue.features.grids.policy import CodeTemplate
from xiangyue.i18n import lazy_gettext as _l

CODE_LENGTH = 30


def next_code(uow: Uow, template: CodeTemplate, village: int, level: int, *, taken: set[str]) -> str:
    """The next serial of this village and level that was never used; put into ``taken``, which holds those of the
    village. The caller has locked the village."""
    serial = 1
    while (code := template.make(village, level, serial)) in taken:
        serial += 1
    # Another village's codes cannot be the same unless the template leaves the village out.
    while uow.session.scalars(select(GridCode.id).where(GridCode.code == code)).one_or_none() is not None:
        taken.add(code)
        serial += 1
        code = template.make(village, level, serial)
    taken.add(code)
    return code


def taken_codes(uow: Uow, village: int) -> set[str]:
    """All codes that begin with the village's 12 digits."""
    prefix = str(village // 1000)
    found = select(GridCode.code).where(GridCode.code >= prefix, GridCode.code < prefix + ":")
    return set(uow.session.scalars(found))


def give_code(uow: Uow, grid: Grid, code: str, since: date) -> None:
    """Raises Conflict for a code that another grid has or had, Invalid for none."""
    code = code.strip().upper()
    if not code.isascii() or not code.isalnum() or len(code) > CODE_LENGTH:
        raise Invalid({"code": [_l("Digits and Latin letters, at most %(n)d.", n=CODE_LENGTH)]})
    known = uow.session.scalars(select(GridCode).where(GridCode.code == code)).one_or_none()
    if known is not None and known.grid_id != grid.id:
        raise Conflict(_l("The code %(code)s has been given to another grid. Codes are never used again.", code=code))
    grid.code = code
    if known is None:
        uow.session.add(GridCode(grid_id=grid.id, code=code, since=since))
    uow.session.flush()


def find_by_code(uow: Uow, code: str) -> int | None:
    """Id of the grid that has or had this code."""
    return uow.session.scalars(select(GridCode.grid_id).where(GridCode.code == code.strip().upper())).one_or_none()
