"""Names of areas for grants, and the areas one may choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import COUNTY, TOWN, VILLAGE, Area

Choices = list[tuple[str, str | list[tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class AreaName:
    """``path`` names the town before the village; both empty for the whole tenant (code 0)."""

    code: int
    name: str = ""
    path: str = ""


def area_names(uow: Uow, codes: Iterable[int]) -> dict[int, AreaName]:
    """Names by 15-digit code; a code without an area keeps its digits as the name."""
    wanted = set(codes) - {0}
    found = {0: AreaName(0)}
    if not wanted:
        return found
    columns = select(Area.area_code, Area.name, Area.parent_code, Area.level)
    with uow.tenant_wide("the name of the town above a village is no secret"):
        rows = {r.area_code: r for r in uow.session.execute(columns.where(Area.area_code.in_(wanted)))}
        above = {r.parent_code for r in rows.values() if r.level not in (COUNTY, TOWN)}
        parents = {r.area_code: r for r in uow.session.execute(columns.where(Area.area_code.in_(above)))}
    for code in wanted:
        row = rows.get(code)
        if row is None:
            found[code] = AreaName(code, str(code), str(code))
            continue
        parent = parents.get(row.parent_code) if row.level not in (COUNTY, TOWN) else None
        found[code] = AreaName(code, row.name, f"{parent.name} · {row.name}" if parent else row.name)
    return found


def area_choices(uow: Uow) -> Choices:
    """(code, name) of the areas in the present scope for a select: the county first, then each town with its
    villages as a group."""
    statement = (
        select(Area.area_code, Area.name, Area.parent_code, Area.level)
        .where(Area.active, Area.level.in_((COUNTY, TOWN, VILLAGE)))
        .order_by(Area.position, Area.area_code)
    )
    rows = list(uow.session.execute(statement))
    choices: Choices = [(str(r.area_code), r.name) for r in rows if r.level == COUNTY]
    towns = {r.area_code: r.name for r in rows if r.level == TOWN}
    names = area_names(uow, {r.parent_code for r in rows if r.level == VILLAGE} - set(towns))
    groups: dict[int, list[tuple[str, str]]] = {code: [(str(code), name)] for code, name in towns.items()}
    for row in rows:
        if row.level == VILLAGE:
            groups.setdefault(row.parent_code, []).append((str(row.area_code), row.name))
    for code, members in groups.items():
        choices.append((towns.get(code) or names[code].name, members))
    return choices


def first_choice(choices: Choices) -> str:
    """The code of the widest area one may choose, "" when there is none."""
    for value, label in choices:
        return value if isinstance(label, str) else label[0][0]
    return ""


def only_choice(choices: Choices) -> str:
    """The code when there is but one area to choose, else "": a right for a whole county is not given by mistake."""
    codes = [
        code for value, label in choices for code in ([value] if isinstance(label, str) else [c for c, _ in label])
    ]
    return codes[0] if len(codes) == 1 else ""
