"""The area tree of one county."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, Timestamps, Versioned
from xiangyue.features.areas.models_change import AreaChange, AreaChangePart, AreaMove, AreaMovedRow, AreaVersion
from xiangyue.features.areas.policy import COUNTY, GROUP, LEVELS, TOWN, VILLAGE

__all__ = [
    "COUNTY",
    "GROUP",
    "LEVELS",
    "TOWN",
    "VILLAGE",
    "Area",
    "AreaChange",
    "AreaChangePart",
    "AreaMove",
    "AreaMovedRow",
    "AreaVersion",
]


class Area(Timestamps, Versioned, AreaBound, Base):
    """区划. ``area_code`` is its own 15-digit code; ``kind`` by the code's range (统计用区划代码编制规则).

    kind: county; town 镇, township 乡, subdistrict 街道; village_committee 村, community 社区; other 类似乡级,
    类似村级; group 村民小组, hamlet 自然屯. ``former_names``: what it, or one that was merged into it, was called
    before: papers and sheets go on naming it so.

    A code is never used for another area: one that was merged, re-coded or closed stays as a row that is not active,
    and ``succeeded_by`` leads on (0: nothing took its place). ``valid_from`` and ``valid_to`` (exclusive) are days on
    which a change of areas (``AreaChange``) made and ended it; null: it has been and stands.
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
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    #: Which area it was cut from or was before, 0 for none.
    origin_code: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    succeeded_by: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
