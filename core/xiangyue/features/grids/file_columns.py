# data: zh
"""Headings of the two files of grids: the list of grids, and which household lies in which. What is exported in them is
read again."""

from __future__ import annotations

from typing import Any

from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.i18n import pick
from xiangyue.plugin.registers import RegisterChoice

GRID: dict[str, tuple[str, str]] = {
    "grid_place": ("所在区划", "Where"),
    "grid_code": ("网格编码", "Code of the grid"),
    "grid_name": ("网格名称", "Name of the grid"),
    "grid_level": ("网格级别", "Level of the grid"),
    "above_code": ("上级网格编码", "Code of the grid above"),
    "grid_since": ("起始日期", "First day"),
    "leader": ("网格长", "Grid leader"),
    "office_phone": ("办公电话", "Office phone"),
    "term_end": ("任期至", "Term until"),
}
HOME: dict[str, tuple[str, str]] = {
    "home": ("户", "Household"),
    "home_place": ("所在村", "Village of the household"),
    "head_name": ("户主姓名", "Name of the head"),
    "home_address": ("家庭住址", "Address of the household"),
    "grid_code": ("网格编码", "Code of the grid"),
    "moved_on": ("调整日期", "From day"),
}
CODE_ALIASES = ("网格代码", "网格编号", "编码")
LEADER_ALIASES = ("网格长姓名", "负责人")
LEVELS = (
    RegisterChoice("1", "一级", "Level 1", ("1级", "一级网格", "村级网格")),
    RegisterChoice("2", "二级", "Level 2", ("2级", "二级网格")),
    RegisterChoice("3", "三级", "Level 3", ("3级", "三级网格")),
)
_STANDARD = {column.key: column for column in STANDARD_COLUMNS}


def grid_headings() -> list[Any]:
    """Of the list of grids as it is exported: town, village and group stand for the place."""
    return [
        *_standard("town", "village", "group"),
        *(pick(*names) for key, names in GRID.items() if key != "grid_place"),
    ]


def home_headings() -> list[Any]:
    return [*_standard("town", "village", "household_no"),
            *(pick(*HOME[key]) for key in ("head_name", "home_address", "grid_code", "moved_on"))]  # fmt: skip


def _standard(*keys: str) -> list[Any]:
    return [pick(_STANDARD[key].zh, _STANDARD[key].en) for key in keys]


def level_word(level: int) -> str:
    """As the file says it."""
    return next((pick(one.zh, one.en) for one in LEVELS if one.key == str(level)), "")
