# data: zh
"""Headings of the file of ten-household groups: which household is in which. What is exported in them is read again."""

from __future__ import annotations

from typing import Any

from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.i18n import pick

GROUP: dict[str, tuple[str, str]] = {
    "home": ("户", "Household"),
    "home_place": ("所在村", "Village of the household"),
    "grid_code": ("网格编码", "Code of the grid"),
    "group_name": ("十户组名称", "Name of the ten-household group"),
    "group_head": ("十户长", "Head of the group"),
    "grouped_on": ("编组日期", "In the group from"),
}
CODE_ALIASES = ("网格代码", "网格编号")
NAME_ALIASES = ("十户组", "联防组", "组名")
HEAD_ALIASES = ("邻长", "十户长姓名", "联户长")
_STANDARD = {column.key: column for column in STANDARD_COLUMNS}


def headings() -> list[Any]:
    """Of the file as it is exported: town, village and number stand for the household."""
    return [
        *(pick(_STANDARD[key].zh, _STANDARD[key].en) for key in ("town", "village", "household_no")),
        *(pick(*GROUP[key]) for key in ("grid_code", "group_name", "group_head", "grouped_on")),
    ]
