"""The area tree of one county."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, Timestamps, Versioned
from xiangyue.features.areas.policy import COUNTY, GROUP, LEVELS, TOWN, VILLAGE

__all__ = ["COUNTY", "GROUP", "LEVELS", "TOWN", "VILLAGE", "Area"]


class Area(Timestamps, Versioned, AreaBound, Base):
    """区划. ``area_code`` is its own 15-digit code; ``kind`` by the code's range (统计用区划代码编制规则).

    kind: county; town 镇, township 乡, subdistrict 街道; village_committee 村, community 社区; other 类似乡级,
    类似村级; group 村民小组. ``former_names``: what it, or one that was merged into it, was called before: papers and
    sheets go on naming it so.
    """

    __tablename__ = "area"
    __table_args__ = (
        UniqueConstraint("tenant_id", "area_code"),
        CheckConstraint("level in ('county', 'town', 'village', 'group')", name="level"),
    )

    parent_code: Mapped[int] = mapped_column(default=0)
    level: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    official_name: Mapped[str] = mapped_column(default="")
    name_en: Mapped[str] = mapped_column(default="", server_default="")
    former_names: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    sort_key: Mapped[str] = mapped_column(Text(collation="C"), default="")
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
