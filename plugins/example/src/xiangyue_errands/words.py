# data: zh
"""Chinese that is data: headings of the roster and of stations, clauses of the rule, as counties write them."""

from __future__ import annotations

ROSTER_NAMES = ("代办事项", "Errand wanted")
ROSTER_EXAMPLE = "代领社保卡"

#: Headings and choices of the register of stations.
PLACE = ("所在村", "Village")
STATION = ("代办点名称", "Station")
STATION_ALIASES = ("代办点", "站点名称")
STATION_EXAMPLE = "上七村代办点"
OPEN = ("开放时间", "Open")
OPENED = ("设立日期", "Opened on")
PHONE = ("代办点电话", "Desk phone")
HOURS = {
    "daily": ("每天", "every day", ("天天", "全天")),
    "market": ("逢集", "on market days", ("赶集日", "逢场")),
    "asked": ("预约", "when asked", ("电话预约",)),
}

_SOURCE = "示例县〔2025〕1号"
RULE = f"{_SOURCE} 第五条"
SOURCES = {"often": f"{_SOURCE} 第二条", "seldom": f"{_SOURCE} 第三条", "none": f"{_SOURCE} 第四条"}
CLAUSES = {
    "often": "十二个月内代办事项达到规定次数的，列入经常走访户。",
    "seldom": "十二个月内有代办事项但未达到规定次数的，按一般户联系。",
    "none": "十二个月内没有代办记录的，由村委会研究确定。",
}
