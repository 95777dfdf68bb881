# data: zh
"""The county's own words: 汉办发〔2021〕11号 (2021-09-07), 四(二)2, and the headings of the roster's columns."""

from __future__ import annotations

from datetime import date

SOURCE = "汉办发〔2021〕11号 四(二)2"
IN_FORCE = date(2021, 9, 7)

GREEN = "家庭经济收入持平和超过全村平均水平且连续三年被评为平安家庭的户定为放心户(绿户)"
YELLOW = "家庭经济收入低于全村平均水平且近两年未被评为平安家庭的定为关心户(黄户)"
RED = "“三留守”人员、残疾人、贫困户和有服刑或刑满释放人员的家庭定为连心户(红户)"
#: What the rule says of incomes; where it leaves a cell open, this is what leaves it open.
BY_INCOME = f"{GREEN};{YELLOW}"
#: Where a ground and a clause on income hold together.
TOGETHER = f"{BY_INCOME};{RED}"

#: Who leads a grid (两化①管理网格化), as published.
LEADERS_SOURCE = "汉办发〔2021〕11号 四(二)1"
LEADER_VILLAGE = "一级网格长由村委班子成员兼任"
LEADER_GROUP = "二级网格以村民小组为单位设立,网格长由村民小组组长担任"
LEADER_HOMES = "在人口较多的二级网格下设立三级网格,网格长由中心户长担任;中心户长不足的选聘农村党员、人大代表充实"

#: Service by colour (服务模式), from the same place.
ONLINE = "村上对其实行等候“在线”服务"
FRONT_LINE = "“三线”联系人员定期到户了解情况,有针对性开展服务"
HOTLINE = "每户确定一名党员、人大代表或中心户长,实行一对一包抓帮扶,与连心户保持“热线联系”,因户施策、精准服务、帮困解难"

#: Headings of the roster: (Chinese, English) and further ones that counties use.
AWARD_YEAR = ("平安家庭年度", "Safe family: year")
AWARD_YEAR_ALSO = ("平安家庭评定年度",)
AWARDS = (
    ("平安家庭", "Safe family in that year"),
    ("平安家庭前一年", "Safe family the year before"),
    ("平安家庭前第二年", "Safe family two years before"),
)
AWARDS_ALSO: tuple[tuple[str, ...], ...] = (
    ("是否平安家庭", "当年平安家庭"),
    ("前一年平安家庭",),
    ("前第二年平安家庭",),
)
AWARD_EXAMPLE = "是"
