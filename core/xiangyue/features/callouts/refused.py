# data: zh
"""Words by which a message gives itself away as a check of presence or a summons to a meeting: it is not sent."""

from __future__ import annotations

import unicodedata

#: domain.md §5.3, 1: no check-in (签到打卡), no online time, no login rate, no figures of who is active. 点名 roll
#: call, 报到 reporting for duty, 查岗 checking posts, 在岗 at one's post, 签到 and 打卡 check-in, 考勤 attendance,
#: 接龙 signing one after the other, 开会 meeting.
WORDS = (
    "点名", "报到", "查岗", "在岗", "到岗", "离岗", "脱岗", "签到", "签退", "打卡", "考勤", "出勤", "缺勤",
    "应到人数", "实到人数", "在线率", "接龙", "开会", "参会", "roll call", "roll-call", "check in here", "check-in",
    "clock in", "attendance",
)  # fmt: skip
#: Where they stand by chance: 安置点名单 (a list of shelters), 现在岗上积水 (now there is water on the ridge), 离开会场
#: (leave the hall), 转移到岗上 (go up to the ridge).
BY_CHANCE = ("点名单", "点名称", "现在岗", "正在岗", "离开会", "避开会", "到岗上", "到岗头", "到岗子")
#: Traditional forms of their characters.
_SIMPLE = str.maketrans("點報到查崗離脫簽退勤應實數線龍開會參", "点报到查岗离脱签退勤应实数线龙开会参")


def presence_word(text: str) -> str:
    """The first of them in a text, "" for none; neither blanks between characters, characters that are not
    seen, nor traditional ones hide any."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    low = " ".join(seen.lower().translate(_SIMPLE).split())
    bare = low.replace(" ", "")
    for phrase in BY_CHANCE:
        bare = bare.replace(phrase, "\n")
    return next((word for word in WORDS if word in (low if word.isascii() else bare)), "")
