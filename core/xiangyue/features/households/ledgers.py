"""The ledgers (台账) that a county hands in on paper: which there are and what stands in each.

They follow the tables of GB/T 31000-2015 (社会治安综合治理基础数据规范) as far as a roster can fill them: 户籍人口 and
常住人口 (实有人口), and 留守人员 with its kinds 老人, 妇女, 儿童, the household's income, the main member and a phone;
困难诉求 and 帮扶 are left to be written by hand. The ledger of households has what 三色户 is judged by: 户年收入 and
the members' marks (汉办发〔2021〕11号 四(二)); that of old people is what 互助养老 registers. Nothing about drugs,
illness or prison is in any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xiangyue.features.households.ledger_query import HouseholdLine, PersonLine
from xiangyue.files.ledger import ColumnGroup, LedgerColumn
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX

#: Full years from which somebody is an old person (老年人权益保障法 第二条).
OLD = 60
#: Keys of the marks of 三留守; a county without any of them has no such ledger.
LEFT_BEHIND = ("left_behind_elder", "left_behind_woman", "left_behind_child")


@dataclass(frozen=True, slots=True)
class Ledger:
    """``of``: household or person; ``basis``: registered or living; ``marks``: only persons with one of them;
    ``least_age``: only those so old. ``cells(line)``: what stands in the columns behind the first."""

    key: str
    label: Any
    about: Any
    of: str
    basis: str
    groups: tuple[ColumnGroup, ...]
    cells: Callable[[Any], list[Any]]
    marks: tuple[str, ...] = ()
    least_age: int = 0


_NO = LedgerColumn(_l("No."), 5, centred=True)
_CODE = LedgerColumn(_l("Household number"), 18, centred=True)
_HEAD = LedgerColumn(_l("Household head"), 9)
_NAME = LedgerColumn(_l("Full name"), 9)
_RELATION = LedgerColumn(_l("Relation to head"), 8, centred=True)
_SEX = LedgerColumn(_l("Sex"), 5, centred=True)
_NATIONALITY = LedgerColumn(_l("Nationality"), 7, centred=True)
_ID = LedgerColumn(_l("Citizen number"), 20, centred=True)
_BORN = LedgerColumn(_l("Date of birth"), 11, centred=True)
_AGE = LedgerColumn(_l("Age"), 5, centred=True)
_PHONE = LedgerColumn(_l("Phone"), 13, centred=True)
_ADDRESS = LedgerColumn(_l("Address"), 24)
_NOTE = LedgerColumn(_l("Note"), 12)
_MARKS = LedgerColumn(_l("Marks"), 14)
_WHO = _l("Person")
_WHERE = _l("Residence and contact")


def ledgers_of(marks: Mapping[str, Any]) -> dict[str, Ledger]:
    """Those that a county with these kinds of marks has."""
    return {key: one for key, one in LEDGERS.items() if not one.marks or set(one.marks) & set(marks)}


def _person_ledger(key: str, label: Any, about: Any, basis: str, elsewhere: Any) -> Ledger:
    return Ledger(
        key,
        label,
        about,
        "person",
        basis,
        (
            ColumnGroup(_l("Household"), (_NO, _CODE, _HEAD)),
            ColumnGroup(_WHO, (_NAME, _RELATION, _SEX, _NATIONALITY, _ID, _BORN, _AGE)),
            ColumnGroup(_WHERE, (LedgerColumn(elsewhere, 8, centred=True), _PHONE, _ADDRESS)),
            ColumnGroup("", (_NOTE,)),
        ),
        _person_cells,
    )


def _person_cells(line: PersonLine) -> list[Any]:
    return [
        line.code, line.head, line.name, RELATIONS.label(line.relation), SEX.label(str(line.sex)),
        NATIONALITIES.label(line.nationality), line.id_number, line.born, line.age, line.elsewhere, line.phone,
        line.address, line.note,
    ]  # fmt: skip


def _left_behind_cells(line: PersonLine) -> list[Any]:
    return [
        line.kinds, line.name, SEX.label(str(line.sex)), line.age, line.id_number, line.address, line.income,
        line.head, RELATIONS.label(line.relation), line.head_phone or line.phone, "", "", "",
    ]  # fmt: skip


def _elder_cells(line: PersonLine) -> list[Any]:
    return [
        line.name, SEX.label(str(line.sex)), line.born, line.age, line.id_number, line.address, line.members,
        line.kinds, line.phone, line.head, line.head_phone, line.note,
    ]  # fmt: skip


def _household_cells(line: HouseholdLine) -> list[Any]:
    return [
        line.code, line.head, line.head_phone, line.registered, line.living, line.away, line.kinds, line.income,
        line.address, line.note, "",
    ]  # fmt: skip


LEDGERS: dict[str, Ledger] = {
    ledger.key: ledger
    for ledger in (
        _person_ledger(
            "registered",
            _l("Ledger of registered persons"),
            _l("Everybody on the household register, by household; says who lives elsewhere."),
            "registered",
            _l("Lives"),
        ),
        _person_ledger(
            "living",
            _l("Ledger of residents"),
            _l("Everybody who lives here, by household; says who is registered elsewhere."),
            "living",
            _l("Registered at"),
        ),
        Ledger(
            "households",
            _l("Ledger of households"),
            _l("One line a household: members, marks, income, and room to sign."),
            "household",
            "registered",
            (
                ColumnGroup(_l("Household"), (_NO, _CODE, _HEAD, LedgerColumn(_l("Head's phone"), 13, centred=True))),
                ColumnGroup(
                    _l("Persons"),
                    (
                        LedgerColumn(_l("On the register"), 7, centred=True),
                        LedgerColumn(_l("Residents"), 7, centred=True),
                        LedgerColumn(_l("Away"), 7, centred=True),
                    ),
                ),
                ColumnGroup(
                    _l("Circumstances"),
                    (_MARKS, LedgerColumn(_l("Latest income (yuan)"), 11, centred=True), _ADDRESS, _NOTE),
                ),
                ColumnGroup("", (LedgerColumn(_l("Signature"), 12),)),
            ),
            _household_cells,
        ),
        Ledger(
            "left_behind",
            _l("Ledger of those left behind"),
            _l("Old people, women and children left behind, with who answers for them; needs and help by hand."),
            "person",
            "living",
            (
                ColumnGroup("", (_NO, LedgerColumn(_l("Category"), 10, centred=True))),
                ColumnGroup(_WHO, (_NAME, _SEX, _AGE, _ID)),
                ColumnGroup(
                    _l("Family"),
                    (
                        _ADDRESS,
                        LedgerColumn(_l("Latest income (yuan)"), 10, centred=True),
                        _HEAD,
                        _RELATION,
                        LedgerColumn(_l("Contact phone"), 13, centred=True),
                        LedgerColumn(_l("Works in"), 10),
                    ),
                ),
                ColumnGroup(
                    _l("Care"), (LedgerColumn(_l("Difficulties and needs"), 12), LedgerColumn(_l("Help given"), 12))
                ),
            ),
            _left_behind_cells,
            marks=LEFT_BEHIND,
        ),
        Ledger(
            "elders",
            _l("Ledger of old people"),
            _l("Everybody of 60 years and over who lives here, with the household and a contact."),
            "person",
            "living",
            (
                ColumnGroup("", (_NO,)),
                ColumnGroup(_WHO, (_NAME, _SEX, _BORN, _AGE, _ID)),
                ColumnGroup(
                    _WHERE, (_ADDRESS, LedgerColumn(_l("Persons in the household"), 8, centred=True), _MARKS, _PHONE)
                ),
                ColumnGroup(_l("Contact"), (_HEAD, LedgerColumn(_l("Head's phone"), 13, centred=True))),
                ColumnGroup("", (_NOTE,)),
            ),
            _elder_cells,
            least_age=OLD,
        ),
    )
}
