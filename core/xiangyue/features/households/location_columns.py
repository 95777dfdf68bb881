# data: zh
"""Columns of a file with the locations of households, as people head them."""

from __future__ import annotations

from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registers import RegisterColumn

COLUMNS = (
    RegisterColumn("household", ("户", "Household"), "household", required=True),
    RegisterColumn("longitude", ("经度", "Longitude"), example="108.430000",
                   help=_l("In degrees of CGCS2000 or WGS 84, with a point."),
                   aliases=("经度坐标", "东经", "X坐标", "lng", "lon")),
    RegisterColumn("latitude", ("纬度", "Latitude"), example="32.860000",
                   help=_l("In degrees of CGCS2000 or WGS 84, with a point."),
                   aliases=("纬度坐标", "北纬", "Y坐标", "lat")),
    RegisterColumn("location", ("经纬度", "Location"), width=24,
                   help=_l("Instead of the two: longitude and latitude in one, with a comma between them."),
                   aliases=("坐标", "位置坐标", "coordinates")),
)  # fmt: skip
