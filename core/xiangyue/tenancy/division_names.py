# data: zh
"""How divisions are called: short and shown forms of official names, and pinyin and English of counties.

Readings are those of place names, which dictionaries of ordinary words often miss (洪洞 is Hongtong).
"""

from __future__ import annotations

import re
from functools import lru_cache

# Longest first: 村民委员会 before 委员会.
_VILLAGE_BODY = re.compile(r"(?:村民委员会|村委员会|村委会)$")
_COMMUNITY_BODY = re.compile(r"(?:社区居民委员会|社区居委会|社区居委员会|居民委员会|居委会)$")
_TOWN_TYPE = re.compile(r"(?:街道办事处|街道|地区办事处|镇|乡)$")

# A name may carry several of them: 双江拉祜族佤族布朗族傣族自治县.
_PEOPLE = re.compile(
    "(?:各族|满族|回族|苗族|瑶族|侗族|壮族|黎族|畲族|彝族|藏族|羌族|傣族|佤族|白族|水族|土族|怒族|"
    "布朗族|普米族|独龙族|保安族|蒙古族|朝鲜族|土家族|布依族|毛南族|仫佬族|仡佬族|纳西族|傈僳族|拉祜族|哈尼族|"
    "裕固族|撒拉族|东乡族|达斡尔族|哈萨克族?|塔吉克|锡伯|蒙古|鄂温克族)+$"
)

# Suffix of a county-level name -> its English; longest first.
_COUNTY_TYPES = (
    ("高新技术产业开发区", "High-tech Industrial Development Zone"),
    ("高新技术开发区", "High-tech Development Zone"),
    ("经济技术开发区", "Economic and Technological Development Zone"),
    ("经济开发区", "Economic Development Zone"),
    ("自治县", "Autonomous County"),
    ("自治旗", "Autonomous Banner"),
    ("管理区", "Management District"),
    ("新区", "New Area"),
    ("林区", "Forestry District"),
    ("特区", "Special District"),
    ("矿区", "Mining District"),
    ("县", "County"),
    ("市", "City"),
    ("旗", "Banner"),
    ("区", "District"),
)

# Characters whose usual reading in place names differs from that in words.
_CHARACTER = {
    "长": "chang", "都": "du", "什": "shi", "勒": "le", "曾": "zeng", "佛": "fo", "漯": "luo", "蚌": "beng",
}  # fmt: skip
_STEM = {
    "乐亭": "lao ting", "乐陵": "lao ling", "乐清": "yue qing", "南乐": "nan le", "朝阳": "chao yang",
    "单": "shan", "蔚": "yu", "浚": "xun", "费": "fei", "长子": "zhang zi", "六合": "lu he",
    "洪洞": "hong tong", "涡阳": "guo yang", "荥经": "ying jing", "筠连": "jun lian", "泊头": "bo tou",
    "珲春": "hun chun",
    "繁峙": "fan shi", "穆棱": "mu ling", "崆峒": "kong tong", "龙圩": "long xu", "浪卡子": "lang ka zi",
    "称多": "chen duo", "大城": "dai cheng", "行唐": "xing tang", "召陵": "shao ling", "伽师": "jia shi",
}  # fmt: skip


def village_display(name: str, *, community: bool) -> str:
    """What people call a village or community: 上七村村委会 -> 上七村, 草桥社区居委会 -> 草桥社区."""
    if community:
        stem = _COMMUNITY_BODY.sub("", name)
        if stem == name:
            return name
        return stem if stem.endswith("社区") else f"{stem}社区"
    stem = _VILLAGE_BODY.sub("", name)
    if stem in (name, ""):
        return name
    return stem if stem.endswith("村") else f"{stem}村"


def town_short(name: str) -> str:
    """Without its type where at least two characters remain: 漩涡镇 -> 漩涡, 郑家屯街道 -> 郑家屯."""
    stem = _TOWN_TYPE.sub("", name)
    without_people = _PEOPLE.sub("", stem)  # 向海蒙古族乡 -> 向海
    return next((short for short in (without_people, stem) if len(short) >= 2), name)


def county_short(name: str) -> str:
    """Without its type where at least two characters remain: 汉阴县 -> 汉阴, 单县 -> 单县."""
    stem, _english = _split(name)
    return stem if len(stem) >= 2 else name


def _split(name: str) -> tuple[str, str]:
    """Stem and English type of a county-level name; both peoples' names and type are off the stem."""
    for suffix, english in _COUNTY_TYPES:
        stem = name.removesuffix(suffix)
        if stem != name and stem:
            if suffix in ("自治县", "自治旗"):
                stem = _PEOPLE.sub("", stem) or stem
            return stem, english
    return name, ""


@lru_cache(maxsize=4096)
def _syllables(stem: str) -> tuple[str, ...]:
    if stem in _STEM:
        return tuple(_STEM[stem].split())
    # Imported here: its dictionaries take 20 MiB, which a web worker need not carry.
    from pypinyin import lazy_pinyin

    read = lazy_pinyin(stem, v_to_u=True)
    return tuple(_CHARACTER.get(character, sound) for character, sound in zip(stem, read, strict=True))


def county_pinyin(name: str) -> str:
    """Pinyin without tones for a host label: 汉阴县 -> hanyin, 单县 -> shanxian, 绿春县 -> lvchun."""
    stem, _english = _split(name)
    sounds = "".join(_syllables(stem))
    if len(stem) == 1:
        sounds += "".join(_syllables(name[1:]))
    return sounds.replace("ü", "v")


def county_english(name: str) -> str:
    """English name: 汉阴县 -> Hanyin County, 长白朝鲜族自治县 -> Changbai Autonomous County, 单县 ->
    Shanxian County.
    """
    stem, english = _split(name)
    sounds = "".join(_syllables(stem))
    if len(stem) == 1:
        sounds += "".join(_syllables(name[1:]))
    # Pinyin writes an apostrophe before a syllable that begins with a vowel: Xi'an.
    if len(stem) > 1:
        first, *rest = _syllables(stem)
        sounds = first + "".join(f"'{s}" if s[0] in "aeo" else s for s in rest)
    return f"{sounds.capitalize()} {english}".strip()
