# data: zh
"""How files of Chinese surveys call what we look for."""

from __future__ import annotations

#: Properties that hold a grid's code, the likeliest first.
CODES = ("code", "grid_code", "网格编码", "网格代码", "编码", "代码", "WGBM", "WGDM", "BM", "DM")
#: Properties that name a feature for people.
NAMES = ("name", "NAME", "Name", "名称", "网格名称", "XZQMC", "MC", "label")
