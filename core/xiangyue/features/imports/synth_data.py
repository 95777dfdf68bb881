# data: zh
"""Word lists and rates from which `synth` makes people up. Frequencies are rough, the people never existed."""

from __future__ import annotations

#: Surnames with weights, as they are common in the Qinba mountains of southern Shaanxi.
SURNAMES: tuple[tuple[str, int], ...] = (
    ("陈", 90), ("李", 85), ("王", 85), ("张", 80), ("刘", 70), ("吴", 50), ("黄", 48), ("杨", 46),
    ("周", 44), ("罗", 36), ("沈", 34), ("蒋", 32), ("邓", 30), ("胡", 30), ("唐", 28), ("龚", 26),
    ("汪", 25), ("徐", 24), ("郭", 24), ("谢", 23), ("何", 23), ("赵", 22), ("曾", 21), ("熊", 20),
    ("成", 19), ("冯", 18), ("彭", 18), ("欧", 16), ("袁", 16), ("温", 15), ("钟", 15), ("覃", 14),
    ("卢", 14), ("余", 14), ("程", 13), ("石", 12), ("毛", 12), ("廖", 12), ("柯", 11), ("储", 10),
    ("解", 8), ("单", 7), ("贺", 7), ("伍", 7), ("苏", 6), ("段", 6), ("龙", 6), ("欧阳", 4),
    ("郝", 4), ("仇", 3),
)  # fmt: skip

#: Characters of a lineage's generation names; a village's big families take five in a row, one for each generation.
GENERATION_CHARACTERS = "德永治显正明家国朝世文光宗先开登万远承祥仁义礼智信忠孝传继厚泽培立志学成大有"

#: Given names by birth year from which on they are usual: (year, male characters, female characters). A name takes
#: one or two of them.
GIVEN: tuple[tuple[int, str, str], ...] = (
    (1900, "福贵财发春生有根寿才金银富荣华兴宝山海林森田友元", "秀英桂兰芝珍莲香翠玉凤菊梅花素芳淑贞云琴英翠莲娥"),
    (1958, "建国军民卫东红兵勇刚明强平安林华新文斌志忠义全胜利", "秀兰英红霞丽梅芳燕琴玲萍翠芬桂芝娟珍蓉会巧云"),
    (1975, "军波涛鹏伟勇超斌辉磊刚峰华东亮杰飞龙江洋海小平", "红艳丽娟霞玲燕敏静芳莉萍晓娜琼梅小云春花雪莹"),
    (1990, "浩杰鑫磊鹏宇龙飞博文凯强俊豪帅阳涛洋超旭晨航", "婷丹雪莹慧倩娜敏静露佳欣瑶琪玉蓉菲晓思颖雨晴"),
    (2005, "浩宇子轩梓睿博文俊杰宇航一诺皓辰佳豪奕辰铭泽嘉懿", "子涵欣怡梓萱雨桐诗琪思雨可馨佳怡语嫣若曦一诺静雅"),
)  # fmt: skip

#: Rows of (nationality, per mille). The county is nearly all Han; a few have married in.
NATIONALITIES: tuple[tuple[str, int], ...] = (("汉族", 988), ("回族", 6), ("土家族", 3), ("苗族", 2), ("满族", 1))

#: Prefixes of mobile numbers that the numbering plan has not assigned to subscribers.
PHONE_PREFIXES: tuple[str, ...] = ("142", "143", "154")

#: Family forms: (key, weight).
FORMS: tuple[tuple[str, int], ...] = (
    ("alone_old", 75),
    ("couple_old", 125),
    ("alone", 85),
    ("couple", 90),
    ("parents_children", 310),
    ("single_parent", 50),
    ("three_generations", 215),
    ("skipped_generation", 40),  # grandparents with grandchildren
)

# Rates in per mille.
AWAY_ADULT = 480
AWAY_WIFE_TOO = 520
PARTY_ADULT = 60
DISABLED = 45
DISABLED_OLD = 110
VETERAN_MAN = 35
LIFTED_OUT = 190
MONITORED = 25
LOW_INCOME = 45
PHONE_ADULT = 820

MARK_PARTY = "党员"
MARK_CHILD = "留守儿童"
MARK_WOMAN = "留守妇女"
MARK_ELDER = "留守老人"
MARK_ALONE = "独居老人"
MARK_DISABLED = "残疾人"
MARK_LIFTED = "脱贫人口"
MARK_MONITORED = "防返贫监测对象"
MARK_LOW_INCOME = "低保对象"
MARK_VETERAN = "退役军人"

YES, NO = "是", "否"
MALE, FEMALE = "男", "女"
HEAD, WIFE, SON, DAUGHTER = "户主", "妻", "子", "女"
FATHER, MOTHER, DAUGHTER_IN_LAW, GRANDSON, GRANDDAUGHTER = "父亲", "母亲", "儿媳", "孙子", "孙女"
SON_ORDER = ("长子", "次子", "三子")
DAUGHTER_ORDER = ("长女", "次女", "三女")
HOUSE_NO = "{town}{village}{group}{n}号"
