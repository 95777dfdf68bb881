"""A list of grids taken in: new ones are made, names and leaders of those on record put right, each as an ordinary
change of grids, with its undo. Levels above come first: a grid of level 3 needs the one above it on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound, Refused
from xiangyue.features.grids import codes, posting, queries, service, service_posts, trying, undoing
from xiangyue.features.grids.file_columns import CODE_ALIASES, GRID, LEADER_ALIASES, LEVELS
from xiangyue.features.grids.file_reason import by_import, reason
from xiangyue.features.grids.models import Grid, GridChange, GridPost
from xiangyue.features.grids.policy import GRID_EDIT
from xiangyue.features.grids.queries_posts import posts_on
from xiangyue.features.grids.standing import WIDE, Divisions, village_of
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import CellFault, ImportRegister, RegisterChange, RegisterColumn, RegisterRow, RowOutlook

COLUMNS = (
    RegisterColumn("grid_place", GRID["grid_place"], "area", required=True),
    RegisterColumn("grid_code", GRID["grid_code"], aliases=CODE_ALIASES, width=20,
                   help=_l("Of a grid on record, or its own. Empty for a new one: the next by the county's template.")),
    RegisterColumn("grid_name", GRID["grid_name"], required=True, width=20),
    RegisterColumn("grid_level", GRID["grid_level"], "choice", required=True, choices=lambda _uow: LEVELS),
    RegisterColumn("above_code", GRID["above_code"], width=20,
                   help=_l("Needed for level 3. It must be on record: take in the levels above first.")),
    RegisterColumn("grid_since", GRID["grid_since"], "date", example="2026-01-01",
                   help=_l("Of a new grid; today if empty. What changes of one on record changes today.")),
    RegisterColumn("leader", GRID["leader"], aliases=LEADER_ALIASES,
                   help=_l("As on the household register. Who is not there is taken as somebody from outside.")),
    RegisterColumn("office_phone", GRID["office_phone"], "phone", width=16,
                   help=_l("Stands on the public board. Never put a private number here.")),
    RegisterColumn("term_end", GRID["term_end"], "date", example="2028-12-31"),
)  # fmt: skip
#: Where a fault of the services stands in the file.
_AT = {
    "name": "grid_name", "level": "grid_level", "parent_id": "above_code", "code": "grid_code",
    "area_code": "grid_name", "on": "grid_since", "valid_from": "grid_since", "term_until": "term_end",
    "office_phone": "office_phone", "person_id": "leader",
}  # fmt: skip


def _found(divisions: Divisions, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The grid on record that a row is about, as it is on its day: by any code of it, else by place and name."""
    uow, on = divisions.uow, max(today(), values.get("grid_since") or today())
    if "grid_code" in values:
        id = codes.find_by_code(uow, values["grid_code"])
    else:
        cells = divisions.on(village_of(values["grid_place"]), on).cells
        wanted = (values["grid_place"], " ".join(values["grid_name"].split()))
        id = next((id for id, cell in cells.items() if (cell.area_code, cell.name) == wanted), None)
    if id is None:
        return None
    grid = queries.find_grid(uow, id, on)
    return grid if grid is not None and grid["standing"] else None


def _stands(uow: Uow, grid: Mapping[str, Any], on: date) -> dict[str, Any]:
    """What stands, by the columns' keys."""
    leader = next((post for post in posts_on(uow, [grid["id"]], on)[grid["id"]] if post["principal"]), None)
    above = queries.name_of(uow, [grid["parent_id"]]) if grid["parent_id"] else {}
    return {
        "grid_place": grid["area_code"], "grid_code": grid["code"], "grid_name": grid["name"],
        "grid_level": str(grid["level"]), "above_code": above.get(grid["parent_id"], ("", ""))[0] or None,
        "leader": leader["name"] if leader else None,
        "office_phone": leader["office_phone"] or None if leader else None,
        "term_end": leader["term_until"] if leader else None,
    }  # fmt: skip


def _wanted(uow: Uow, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the row says, as it would stand."""
    after = {key: value for key, value in values.items() if key != "grid_since"}
    after["grid_name"] = " ".join(str(values["grid_name"]).split())
    if "leader" in after:
        after["leader"] = " ".join(str(values["leader"]).split())
    if "grid_code" in after:
        after["grid_code"] = str(values["grid_code"]).strip().upper()
    if "above_code" in after:
        id = codes.find_by_code(uow, values["above_code"])
        after["above_code"] = queries.name_of(uow, [id])[id][0] if id is not None else values["above_code"]
    return after


def check(uow: Uow, rows: Sequence[RegisterRow]) -> Sequence[RowOutlook]:
    """What each row would do: a new grid, another name or leader, or nothing."""
    divisions = Divisions(uow)
    return [_outlook(divisions, row) for row in rows]


def _outlook(divisions: Divisions, row: RegisterRow) -> RowOutlook:
    uow = divisions.uow
    values, after = row.values, _wanted(uow, row.values)
    faults: list[CellFault] = []
    grid = _found(divisions, values)
    on = max(today(), values.get("grid_since") or today())
    if grid is None:
        before: dict[str, Any] = {}
        _check_new(divisions, values, faults)
    else:
        before = _stands(uow, grid, on)
        after["grid_code"] = grid["code"]
        for key in ("grid_place", "grid_level", "above_code"):
            if key in after and after[key] != before[key]:
                # A place is read from the village's own columns; what is told stands at the name.
                column = "grid_name" if key == "grid_place" else key
                text = _l("The grid on record lies elsewhere in the tree. Split, merge or divide anew on its page.")
                faults.append(CellFault(column, text))
        same = before["leader"] == after.get("leader")
        for key in ("office_phone", "term_end"):
            if same and key in after and after[key] != before[key]:
                text = _l("The leader on record has something else here. End the post on the grid's page first.")
                faults.append(CellFault(key, text))
    if after.get("leader") and after["leader"] != before.get("leader"):
        begun = [post for post in posts_on(uow, [grid["id"]], on)[grid["id"]] if post["principal"]] if grid else []
        if begun and begun[0]["since"] >= today():
            text = _l("%(name)s has been in charge since %(day)s only. Change it on the grid's page.",
                      name=begun[0]["name"], day=begun[0]["since"].isoformat())  # fmt: skip
            faults.append(CellFault("leader", text))
        people = posting.people_called(uow, values["grid_place"], [after["leader"]], today()).get(after["leader"], [])
        if len(people) > 1:
            text = _l("%(n)d persons are called %(name)s: put them in charge on the grid's page.", n=len(people),
                      name=after["leader"])  # fmt: skip
            faults.append(CellFault("leader", text))
    elif "leader" not in after and {"office_phone", "term_end"} & set(after):
        faults.append(CellFault("leader", _l("Say whose this is.")))
    if after.get("term_end") and after["term_end"] < (values.get("grid_since") or today()):
        faults.append(CellFault("term_end", _l("The term ends before it begins.")))
    return RowOutlook(row.number, grid["id"] if grid else None, after["grid_name"], before, after, faults)


def _check_new(divisions: Divisions, values: Mapping[str, Any], faults: list[CellFault]) -> None:
    """Everything that the service would refuse; nothing is written."""
    uow = divisions.uow
    if "grid_code" in values and codes.find_by_code(uow, values["grid_code"]) is not None:
        text = _l("This code was given to a grid that does not stand on that day. Codes are never used again.")
        faults.append(CellFault("grid_code", text))
    code = str(values.get("grid_code", "A")).strip()
    if not code.isascii() or not code.isalnum() or len(code) > codes.CODE_LENGTH:
        faults.append(CellFault("grid_code", _l("Digits and Latin letters, at most %(n)d.", n=codes.CODE_LENGTH)))
    parent = codes.find_by_code(uow, values["above_code"]) if "above_code" in values else None
    if "above_code" in values and parent is None:
        text = _l("No grid has this code yet. Take in the levels above first, as a file of their own.")
        faults.append(CellFault("above_code", text))
        return
    try:
        trying.try_grid(divisions, **_new(values, parent))
    except Invalid as invalid:
        for name, texts in invalid.fields.items():
            faults.append(CellFault(_AT.get(name, "grid_name"), " ".join(str(text) for text in texts)))
    except NotFound as missing:
        faults.append(CellFault("grid_name", missing.message))


def _new(values: Mapping[str, Any], parent: int | None) -> dict[str, Any]:
    return {
        "area_code": values["grid_place"], "name": values["grid_name"], "level": int(values["grid_level"]),
        "on": values.get("grid_since") or today(), "parent_id": parent,
    }  # fmt: skip


def write(uow: Uow, rows: Sequence[RegisterRow]) -> None:
    """Make, rename, put in charge."""
    why, divisions = reason(), Divisions(uow)
    for row in rows:
        values, after = row.values, _wanted(uow, row.values)
        if row.record is None:
            parent = codes.find_by_code(uow, values["above_code"]) if "above_code" in values else None
            change = service.create_grid(uow, **_new(values, parent), reason=why, size_reason=why,
                                         code=str(values.get("grid_code", "")), divisions=divisions)  # fmt: skip
            _lead(uow, int(change.changes["made"][0]), after, values.get("grid_since") or today(), why)
            continue
        grid = uow.get(Grid, row.record)
        before = _stands(uow, queries.find_grid(uow, grid.id, today()) or {}, today())
        if before["grid_name"] != after["grid_name"]:
            service.rename_grid(uow, grid_id=grid.id, version=grid.version, name=after["grid_name"], on=today(),
                                reason=why, divisions=divisions)  # fmt: skip
        if after.get("leader") and before["leader"] != after["leader"]:
            _lead(uow, grid.id, after, today(), why)


def _lead(uow: Uow, grid_id: int, after: Mapping[str, Any], on: date, why: str) -> None:
    name = after.get("leader")
    if not name:
        return
    people = posting.people_called(uow, after["grid_place"], [name], today()).get(name, [])
    try:
        for old in posts_on(uow, [grid_id], on)[grid_id]:
            if old["principal"]:
                service_posts.end_post(uow, post_id=old["id"], version=old["version"], on=on, reason=why)
        service_posts.appoint(
            uow, grid_id=grid_id, role="leader", principal=True, valid_from=on, name=name,
            person_id=people[0][0] if people else None, term_until=after.get("term_end"),
            office_phone=after.get("office_phone") or "", reason=why,
        )  # fmt: skip
    except (Refused, Invalid) as refused:
        raise Conflict(_l("%(name)s: %(why)s", name=name, why=refused.message)) from refused


def built(uow: Uow, changes: Sequence[RegisterChange]) -> Mapping[int, Any]:
    """Grids that are no longer as the import left them, or on which something was built."""
    reasons: dict[int, Any] = {}
    for change in changes:
        grid = queries.find_grid(uow, change.record, today())
        made = _made(uow, change.record) if change.before is None else None
        on = max(today(), made.on_date) if made is not None else today()
        grid = queries.find_grid(uow, change.record, on) if grid is not None else None
        if grid is None or not grid["standing"]:
            reasons[change.record] = _l("The grid no longer stands.")
            continue
        now = _stands(uow, grid, on)
        renamed = change.before is not None and change.before["grid_name"] != change.after["grid_name"]
        if any(now[key] != value for key, value in change.after.items()) or (
            renamed and not by_import(_last(uow, change.record, "rename"))
        ):
            reasons[change.record] = _l("The grid was changed afterwards.")
        elif made is not None and (against := _against(uow, made)):
            reasons[change.record] = join_words(against, "; ")
    return reasons


def undo(uow: Uow, changes: Sequence[RegisterChange]) -> None:
    """What was made goes, the last first; names and leaders are those from before."""
    reason = _("The import was undone")
    for change in sorted(changes, key=lambda one: one.record, reverse=True):
        posts = uow.session.scalars(
            select(GridPost).where(GridPost.grid_id == change.record, GridPost.role == "leader", GridPost.principal)
            .order_by(GridPost.valid_from.desc())
        ).all()  # fmt: skip
        if change.before is None:
            for post in posts:
                posting.take_away(uow, post=post)
            made = _made(uow, change.record)
            service.undo_change(uow, change_id=made.id, version=made.version, reason=reason)
            continue
        if posts and change.before.get("leader") != change.after.get("leader", change.before.get("leader")):
            begun = posts[0].valid_from
            posting.take_away(uow, post=posts[0])
            if len(posts) > 1 and posts[1].valid_to == begun:
                posting.go_on(uow, post=posts[1])
        if change.before["grid_name"] != change.after["grid_name"]:
            renamed = _last(uow, change.record, "rename")
            service.undo_change(uow, change_id=renamed.id, version=renamed.version, reason=reason)


def _against(uow: Uow, made: GridChange) -> list[str]:
    with uow.tenant_wide(WIDE):
        return undoing.built_on(uow, made, alone=False)


def _made(uow: Uow, grid_id: int) -> GridChange:
    return _last(uow, grid_id, "create", "made")


def _last(uow: Uow, grid_id: int, kind: str, key: str = "grids") -> GridChange:
    wanted = select(GridChange).where(GridChange.kind == kind, GridChange.state == "done",
                                      GridChange.changes[key].contains([grid_id]))  # fmt: skip
    return uow.session.scalars(wanted.order_by(GridChange.id.desc()).limit(1)).one()


REGISTER = ImportRegister(
    "grids", _l("List of grids"), GRID_EDIT, COLUMNS, ("grid_place", "grid_name"), check, write, undo, built,
    help=_l(
        "One row for each grid, as the list of grids is exported as a file. New ones are made, names and leaders of"
        " those on record put right; no grid ends by this. Take in level 1 first, then 2, then 3, as files of their"
        " own."
    ),
)  # fmt: skip
