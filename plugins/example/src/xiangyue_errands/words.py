# data: zh
"""Chinese that is data: headings of the roster and the clauses of the rule, both as counties write them."""

from __future__ import annotations

ROSTER_NAMES = ("代办事项", "Errand wanted")
ROSTER_EXAMPLE = "代领社保卡"

_SOURCE = "示例县〔2025〕1号"
SOURCES = {"often": f"{_SOURCE} 第二条", "seldom": f"{_SOURCE} 第三条", "none": f"{_SOURCE} 第四条"}
CLAUSES = {
    "often": "十二个月内代办事项达到规定次数的，列入经常走访户。",
    "seldom": "十二个月内有代办事项但未达到规定次数的，按一般户联系。",
    "none": "十二个月内没有代办记录的，由村委会研究确定。",
}
