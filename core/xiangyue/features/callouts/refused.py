# data: zh
"""Words by which a message gives itself away as a check of presence: it is not sent."""

from __future__ import annotations

#: 点名 roll call, 签到 and 打卡 check-in, 考勤 attendance; domain.md §5.3 (指尖上的形式主义).
WORDS = ("点名", "签到", "打卡", "考勤", "roll call", "roll-call", "check in here", "attendance")


def presence_word(text: str) -> str:
    """The first of them in a text, "" for none."""
    low = text.lower()
    return next((word for word in WORDS if word in low), "")
