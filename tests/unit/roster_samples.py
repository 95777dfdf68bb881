"""A small county for the roster's tests: real names and codes of Hanyin, made-up everything else."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from xiangyue.features import imports
from xiangyue.features.imports.roster_areas import AreaRow, ListAreaIndex
from xiangyue.features.imports.roster_check import RosterChecker
from xiangyue.features.imports.roster_columns import (
    DEFAULT_MARK_KINDS,
    Column,
    CustomFieldSpec,
    roster_columns,
)
from xiangyue.features.imports.roster_messages import CellError
from xiangyue.features.imports.roster_read import RosterRow
from xiangyue.i18n import add_catalogue

# In the application the feature registers its own texts.
add_catalogue(Path(imports.__file__).parent / "translations")

TODAY = date(2025, 11, 22)
AREAS = [
    AreaRow(610921000000000, "county", "汉阴县", "汉阴县"),
    AreaRow(610921100000000, "town", "城关镇", "城关镇", 610921000000000, ("月河乡",)),
    AreaRow(610921100001000, "village", "南街社区居委会", "南街社区", 610921100000000),
    AreaRow(610921100200000, "village", "东南村委会", "东南村", 610921100000000),
    AreaRow(610921102000000, "town", "蒲溪镇", "蒲溪镇", 610921000000000, ("月河乡", "盘龙乡")),
    AreaRow(610921102001000, "village", "蒲溪社区居委会", "蒲溪社区", 610921102000000),
    AreaRow(610921102200000, "village", "蒲溪村委会", "蒲溪村", 610921102000000),
    AreaRow(610921107000000, "town", "漩涡镇", "漩涡镇", 610921000000000, ("凤凰山乡",)),
    AreaRow(610921107211000, "village", "茨沟村委会", "茨沟村", 610921107000000, ("田凤村", "和平村委会")),
    AreaRow(610921107224000, "village", "上七村委会", "上七村", 610921107000000),
    AreaRow(610921107224007, "group", "上院子组", "上院子组", 610921107224000),
]
CUSTOM = [
    CustomFieldSpec("household", "courtyard", "text", "所在院落", "Courtyard"),
    CustomFieldSpec(
        "household",
        "housing",
        "choice",
        "住房来源",
        "Housing",
        required=True,
        options=[
            {"key": "own", "name": "自建房", "name_en": "Built by the family"},
            {"key": "rented", "name": "租住", "name_en": "Rented"},
        ],
    ),
    CustomFieldSpec("person", "since", "date", "外出起始日", "Away since"),
    CustomFieldSpec("person", "insured", "boolean", "参加医保", "Insured"),
    CustomFieldSpec("person", "mu", "integer", "承包地(亩)", "Land (mu)"),
    CustomFieldSpec("person", "room", "decimal", "住房面积(平方米)", "Floor space"),
]
COLUMNS = roster_columns((), DEFAULT_MARK_KINDS)

#: A head of household with everything filled in; the citizen number's check digit is wrong on purpose.
HEAD: dict[str, Any] = {
    "town": "漩涡镇",
    "village": "上七村",
    "group": "三组",
    "household_no": "0017",
    "relation": "户主",
    "name": "王试一",
    "sex": "男",
    "id_number": "610921198001011234",
    "birth_date": "1980-01-01",
    "nationality": "汉族",
    "phone": "15400000017",
    "address": "漩涡镇上七村三组17号",
    "marks": "党员、退役军人",
    "away": "否",
    "household_income": 32000.0,
    "income_year": 2024.0,
}
WIFE: dict[str, Any] = {
    "town": "漩涡镇",
    "village": "上七村",
    "household_no": "0017",
    "relation": "妻",
    "name": "陈试二",
    "id_number": "610921198202021240",
}


def checker(
    *, synthetic: bool = True, columns: Sequence[Column] = COLUMNS, custom: Sequence[CustomFieldSpec] = ()
) -> RosterChecker:
    return RosterChecker(columns, ListAreaIndex(AREAS), synthetic, DEFAULT_MARK_KINDS, custom, today=TODAY)


def row(number: int, base: Mapping[str, Any], **changes: Any) -> RosterRow:
    """``base`` with changes; None empties a cell."""
    return RosterRow(number, {k: v for k, v in {**base, **changes}.items() if v is not None})


def check(*rows: RosterRow, synthetic: bool = True) -> list[CellError]:
    """All errors, of rows and between them."""
    judge = checker(synthetic=synthetic)
    errors = [error for r in rows for error in judge.check_row(r).errors]
    return errors + judge.finish()


def brief(errors: Sequence[CellError]) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in errors]


def workbook(rows: Sequence[Sequence[Any]], *, title: str = "Sheet1") -> bytes:
    """An .xlsx made by another library than ours."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for values in rows:
        sheet.append(list(values))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
