"""A plugin's imports of registers: the rows of their own templates are written, stand as was said, and go again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Household, Person
from xiangyue.features.imports.queries import county_areas
from xiangyue.features.imports.register_check import RegisterChecker
from xiangyue.features.imports.register_hand import Hand, RegisterFault
from xiangyue.features.imports.registers import columns_of_kind
from xiangyue.features.imports.roster_areas import ListAreaIndex
from xiangyue.features.imports.roster_messages import problem_of
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.i18n import in_locale
from xiangyue.plugin.registers import REFERENCES, ImportRegister, RegisterChange, RegisterRow, RowOutlook
from xiangyue.testing.conformance.kit import Kit, none_of


class RegisterTests:
    def test_registers_are_written_as_their_check_says(self, kit: Kit) -> None:
        """A row of the template's examples is new, written, the same again, and gone with its undo."""
        for register in kit.offered("imports"):
            kit.lay("imports", kit.on)
            before = kit.digest(kit.on)
            contributor = kit.plugin.contributor
            assert contributor is not None
            with kit.on.uow() as uow:
                row = example(kit, uow, register)
                hand = Hand(uow, contributor, register, Scope(uow.tenant_id))
                with in_locale("en"):
                    none_of(f"{register.key}: {fault}" for fault in write_faults(hand, row))
                if register.undo is None:
                    uow.rollback()
            after = kit.digest(kit.on)
            changed = [name for name in after if after[name] != before[name]]
            none_of(f"{register.key}: other rows in {name} than before, although it was taken back" for name in changed)


def write_faults(hand: Hand, row: RegisterRow) -> list[str]:
    """What is wrong with the functions of a register, at a row that nobody has written yet."""
    try:
        (first,) = hand.check([row])
        if first.faults:
            return [f"the example of its template is refused: {fault.message}" for fault in first.faults]
        if first.record is None and not first.after:
            return ["its check says of no value what would stand"]
        hand.write([RegisterRow(row.number, row.values, first.record)] if not first.unchanged else [])
        (again,) = hand.check([row])
        if not again.unchanged:
            return [f"a row that was written is not unchanged: {_told(again)}"]
        if hand.register.undo is None or again.record is None:
            return []
        was = None if first.record is None else first.before
        changes = [RegisterChange(again.record, again.name, was, first.after)] if not first.unchanged else []
        found = [f"right after the writing the undo is refused: {why}" for why in hand.built(changes).values()]
        hand.undo(changes)
        return found
    except RegisterFault as fault:
        return [f"{fault.message} {fault.__cause__ or ''}"]


def example(kit: Kit, uow: Uow, register: ImportRegister) -> RegisterRow:
    """The template's example as a row, its references to a household of the kit's own."""
    columns = {column.key: column for column in columns_of_kind(uow, register.key)}
    home = uow.session.scalars(select(Household).where(Household.id == kit.lay("imports", kit.on).households[0])).one()
    person = uow.session.scalars(select(Person.id).where(Person.household_id == home.id)).first()
    village = home.area_code // 1000 * 1000
    cells = {c.key: columns[c.key].example for c in register.columns if c.kind not in REFERENCES}
    checker = RegisterChecker(register, tuple(columns.values()), ListAreaIndex(county_areas(uow)))
    plain = [column for column in register.columns if column.kind not in REFERENCES]
    checked = checker.check_row(RosterRow(1, {key: text for key, text in cells.items() if text}))
    own = {column.key for column in plain}
    none_of(
        f"{register.key}: the example of {error.column}: {problem_of(error)}"
        for error in checked.errors
        if error.column in own
    )
    values: dict[str, Any] = dict(checked.values["record"])
    given = {"village": village, "area": home.area_code, "place": village, "household": home.id, "person": person}
    values |= {c.key: given[c.kind] for c in register.columns if c.kind in REFERENCES and given[c.kind] is not None}
    return RegisterRow(1, values)


def _told(outlook: RowOutlook) -> str:
    if outlook.record is None:
        return "it has no record"
    return ", ".join(key for key, value in outlook.after.items() if outlook.before.get(key) != value)
