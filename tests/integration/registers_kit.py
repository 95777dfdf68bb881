"""A register that a planted plugin imports: kinds of marks by their code, in a table of the core's."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import xlsxwriter
from imports_kit import work
from points_kit import holder, probe
from sqlalchemy import delete, select

from xiangyue.access.actor import Actor
from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import MarkKind
from xiangyue.features.imports import service
from xiangyue.features.imports.models import ImportBatch
from xiangyue.plugin.registers import (
    CellFault,
    ImportRegister,
    RegisterChange,
    RegisterChoice,
    RegisterColumn,
    RegisterRow,
    RowOutlook,
)
from xiangyue.testing.fixtures import County

KIND = "probe_kinds"
EDIT = Permission("probe.edit", "Edit kinds")
HEADERS = ("代号", "名称", "次序", "使用", "类型")


def choices(_uow: Uow) -> Sequence[RegisterChoice]:
    return (RegisterChoice("care", "关爱", "Care"), RegisterChoice("merit", "荣誉", "Merit", ("奖励",)))


COLUMNS = (
    RegisterColumn("code", ("代号", "Code"), required=True, aliases=("编号",), example="probe1", help="Small letters."),
    RegisterColumn("title", ("名称", "Title"), required=True),
    RegisterColumn("place_no", ("次序", "Position"), "integer"),
    RegisterColumn("in_use", ("使用", "In use"), "boolean"),
    RegisterColumn("type", ("类型", "Type"), "choice", choices=choices),
)


def _kinds(uow: Uow, codes: set[str]) -> dict[str, MarkKind]:
    found = uow.session.scalars(select(MarkKind).where(MarkKind.key.in_(codes)))
    return {kind.key: kind for kind in found}


def _values(kind: MarkKind) -> dict[str, Any]:
    return {"code": kind.key, "title": kind.name, "place_no": kind.position, "in_use": kind.active}


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    known = _kinds(uow, {row.values["code"] for row in rows})
    found = []
    for row in rows:
        after = {key: row.values[key] for key in ("code", "title", "place_no", "in_use") if key in row.values}
        kind = known.get(row.values["code"])
        faults = []
        if row.values["title"] == "禁用":
            faults.append(CellFault("title", "This title is taken.", "可用"))
        before = {} if kind is None else _values(kind)
        id = None if kind is None else kind.id
        found.append(RowOutlook(row.number, id, row.values["title"], before, after, faults))
    return found


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    known = _kinds(uow, {row.values["code"] for row in rows})
    for row in rows:
        kind = known.get(row.values["code"])
        if kind is None:
            kind = MarkKind(key=row.values["code"], name=row.values["title"], position=9)
            uow.session.add(kind)
        kind.name = row.values["title"]
        kind.position = row.values.get("place_no", kind.position)
        kind.active = row.values.get("in_use", True if kind.active is None else kind.active)
    uow.session.flush()


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    for change in changes:
        kind = uow.get(MarkKind, change.record)
        if change.before is None:
            uow.session.delete(kind)
        else:
            kind.name, kind.position = change.before["title"], change.before["place_no"]
            kind.active = change.before["in_use"]
    uow.session.flush()


def built(uow: Uow, changes: Sequence[RegisterChange]) -> dict[int, Any]:
    found = {}
    for change in changes:
        kind = uow.get(MarkKind, change.record)
        if any(_values(kind)[key] != value for key, value in change.after.items()):
            found[change.record] = "Changed by hand"
    return found


def register(**changes: Any) -> ImportRegister:
    given: dict[str, Any] = {
        "key": KIND, "label": "Kinds of probes", "permission": EDIT, "columns": COLUMNS, "keys": ("code",),
        "check": check, "write": write, "undo": undo, "built": built, **changes,
    }  # fmt: skip
    return ImportRegister(**given)


@contextmanager
def kinds(county: County, **changes: Any) -> Iterator[None]:
    """The plugin with its register on in the county; its kinds of marks go with it."""
    hooks = {
        "register_permissions": (EDIT,),
        "register_role_templates": {"county_admin": frozenset({EDIT.name})},
        "register_imports": (register(**changes),),
    }
    with probe(county, **hooks):
        try:
            yield
        finally:
            with county.uow() as uow:
                uow.session.execute(delete(MarkKind).where(MarkKind.key.like("probe%")))


def sheet(*rows: Sequence[Any], header: Sequence[str] = HEADERS) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for number, cells in enumerate([header, *rows]):
            page.write_row(number, 0, cells)
    return stream.getvalue()


def upload(county: County, data: bytes, actor: Actor | None = None, name: str = "标识.xlsx") -> ImportBatch:
    with county.uow(actor) as uow:
        return service.upload_roster(
            uow, county.runtime.storage, stream=io.BytesIO(data), name=name, source="民政局", purpose="核对", kind=KIND
        )


def checked(county: County, *rows: Sequence[Any], header: Sequence[str] = HEADERS) -> ImportBatch:
    return work(county, upload(county, sheet(*rows, header=header)).id)


def reader(county: County) -> Any:
    """Somebody of the county who may import rosters and kinds."""
    area = county.info.area_code
    return county.client(holder(county, ("county_admin", area), probe__edit=area))


def standing(county: County) -> dict[str, tuple[str, int, bool]]:
    """Code -> what stands of the kinds of the tests."""
    with county.uow() as uow:
        found = uow.session.scalars(select(MarkKind).where(MarkKind.key.like("probe%")))
        return {kind.key: (kind.name, kind.position, kind.active) for kind in found}
