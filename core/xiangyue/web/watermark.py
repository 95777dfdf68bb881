"""What stands in a file that leaves the house: who took it along, and the number that finds the audit entry."""

from __future__ import annotations

import secrets
from datetime import datetime

from xiangyue.db.uow import Uow
from xiangyue.files.workbook import Watermark
from xiangyue.i18n import TIMEZONE
from xiangyue.i18n import gettext as _

#: No letter that is taken for a digit, nor one for the other.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number() -> str:
    """Number of an export: short enough to be read out, and nothing can be told from it, such as ``K7Q2-9XFA``."""
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


def watermark(uow: Uow, purpose: str, number: str) -> Watermark:
    """Who took a file along, when, what for, and the number of the audit entry."""
    line = _(
        "Exported by %(who)s · %(when)s · for: %(purpose)s · number %(number)s · personal information: keep it safe,"
        " destroy it after use",
        who=uow.actor.name or uow.actor.login,
        when=datetime.now(TIMEZONE).strftime("%Y-%m-%d %H:%M"),
        purpose=purpose,
        number=number,
    )
    return Watermark(line, number)
