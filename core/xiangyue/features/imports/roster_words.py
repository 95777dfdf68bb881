# data: zh
"""What counties write besides the template's own words: over the columns, in Chinese and English, and for marks."""

from __future__ import annotations

#: Column key -> headings, folded like `roster_columns.fold_header` when compared.
HEADINGS: dict[str, tuple[str, ...]] = {
    "town": (
        "乡镇名称", "镇名", "镇名称", "所属乡镇", "所属镇", "乡镇街道", "乡镇办", "乡(镇)", "镇(街道)", "乡镇(街道)",
        "户籍所在镇", "town name", "town or township", "subdistrict",
    ),
    "village": (
        "村名称", "行政村名称", "所属村", "所属行政村", "村(社区)", "村(居)", "村委会", "社区名称", "村社区名称",
        "户籍所在村", "village name", "administrative village",
    ),
    "group": ("组名", "组号", "所属组", "所属小组", "村小组", "居民小组", "自然组", "group no", "group name"),
    "household_no": (
        "户序号", "家庭户号", "户籍号", "户口编号", "农户编号", "户id", "家庭号", "家庭户编号",
        "household id", "household code", "family no",
    ),
    "relation": (
        "与户主之关系", "成员关系", "家庭成员关系", "与户主", "称谓", "关系称谓", "同户主关系",
        "relationship", "relationship to head", "relation to head of household",
    ),
    "name": ("名字", "人员名称", "家庭成员", "成员名称", "居民姓名", "村民姓名", "person name", "name of person"),
    "sex": ("性 别", "男女", "人员性别"),
    "id_number": (
        "证件编号", "公民身份证", "居民身份证号", "居民身份证号码", "身份证件号码", "身份证编号", "身份号",
        "id card", "id card number", "id no", "identity card", "citizen id", "national id",
    ),
    "birth_date": ("出生时间", "生年月日", "出生年月(日)", "出生", "dob", "born", "day of birth"),
    "nationality": ("族别", "民 族", "nation"),
    "phone": (
        "联系手机", "联系号码", "本人电话", "移动电话", "手机电话", "电话(手机)", "联系人电话", "常用电话",
        "phone number", "telephone", "contact number", "mobile phone", "cell phone", "tel",
    ),
    "address": ("家庭地址", "现住址", "现居住地址", "现居住地", "常住地址", "户籍住址", "门牌号", "home address"),
    "marks": ("人员属性", "人群类别", "身份类别", "特殊人群", "重点人群", "人员性质", "tags", "labels", "category"),
    "away": ("是否在外", "是否务工", "外出情况", "务工情况", "是否外出人员", "在外务工", "working away"),
    "household_income": ("家庭总收入", "户总收入", "全年收入", "家庭年总收入", "annual income", "family income"),
    "income_year": ("收入所属年度", "统计年度", "所属年度", "收入所属年份", "year"),
}  # fmt: skip

#: Other words for the same mark, by key; a county's own kinds have their names only.
MARKS: dict[str, tuple[str, ...]] = {
    "party_member": ("中共党员", "共产党员"),
    "veteran": ("退伍军人", "复员军人", "转业军人", "退役士兵"),
    "disabled": ("残疾",),
    "out_of_poverty": ("脱贫", "脱贫户"),
    "monitored": (
        "监测户",
        "监测对象",
        "防返贫监测",
        "防返贫监测户",
        "三类户",
        "脱贫不稳定户",
        "边缘易致贫户",
        "突发严重困难户",
    ),
    "low_income": ("低保", "低保户"),
    "five_guarantee": ("特困", "特困供养", "特困人员", "五保", "五保户"),
    "living_alone_elder": ("独居",),
}

#: What stands in a cell for "nothing to say".
NO_VALUE = frozenset((
    "无", "没有", "暂无", "不详", "未知", "不清楚", "不明", "未填", "未登记", "缺", "空", "无此项",
    "/", "//", "\\", "-", "--", "---", "—", "——", "―", "–", "－", "n/a", "N/A", "NA", "none", "None", "null", "NULL",
))  # fmt: skip
#: Names that nobody has: words of headings and sums, and for those that are not known.
NO_NAMES = NO_VALUE | {
    "户主", "户主姓名", "本人", "配偶", "姓名", "名字", "家庭成员", "小计", "合计", "总计", "共计", "累计", "人数",
    "户数", "同上", "示例",
}  # fmt: skip
