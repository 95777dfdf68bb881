# data: zh
"""Pinyin of names: the stored sort key, initials, and the rows of the suffix search table.

Readings come from pypinyin's table of single characters, read once at the first need and packed into half a
megabyte; importing the package itself would bring its 47,000 phrases (57 MB), which names have no use for.
"""

from __future__ import annotations

import json
import unicodedata
from array import array
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

#: Readings of characters when they are a surname, where the usual first reading is another one.
SURNAMES: dict[str, str] = {
    "单": "shan", "仇": "qiu", "解": "xie", "区": "ou", "曾": "zeng", "查": "zha", "盖": "ge",
    "朴": "piao", "秘": "bi", "召": "shao", "乐": "yue", "缪": "miao", "繁": "po", "员": "yun",
    "贠": "yun", "宓": "fu", "折": "she", "覃": "qin", "种": "chong", "重": "chong", "翟": "zhai",
    "都": "du", "牟": "mu", "洗": "xian", "隗": "wei", "郇": "xun", "么": "yao", "能": "nai",
    "薄": "bo", "藏": "zang", "佴": "nai", "阚": "kan", "祭": "zhai", "句": "gou", "卜": "bu",
    "弗": "fei", "钭": "tou", "晟": "cheng", "沈": "shen", "纪": "ji",
}  # fmt: skip
#: Where the table's first reading is not the one that names of people and places mostly have.
_USUAL: dict[str, str] = {"长": "chang"}
#: Surnames of two characters, with their readings.
COMPOUND_SURNAMES: dict[str, tuple[str, str]] = {
    "欧阳": ("ou", "yang"), "司马": ("si", "ma"), "上官": ("shang", "guan"), "诸葛": ("zhu", "ge"),
    "夏侯": ("xia", "hou"), "尉迟": ("yu", "chi"), "皇甫": ("huang", "fu"), "万俟": ("mo", "qi"),
    "令狐": ("ling", "hu"), "单于": ("chan", "yu"), "长孙": ("zhang", "sun"), "宇文": ("yu", "wen"),
    "慕容": ("mu", "rong"), "司徒": ("si", "tu"), "司空": ("si", "kong"), "公孙": ("gong", "sun"),
    "澹台": ("tan", "tai"), "东方": ("dong", "fang"), "独孤": ("du", "gu"), "南宫": ("nan", "gong"),
    "端木": ("duan", "mu"), "轩辕": ("xuan", "yuan"), "钟离": ("zhong", "li"), "闻人": ("wen", "ren"),
    "鲜于": ("xian", "yu"), "申屠": ("shen", "tu"), "太史": ("tai", "shi"), "濮阳": ("pu", "yang"),
    "赫连": ("he", "lian"), "呼延": ("hu", "yan"), "百里": ("bai", "li"), "东郭": ("dong", "guo"),
    "西门": ("xi", "men"), "第五": ("di", "wu"), "司寇": ("si", "kou"), "子车": ("zi", "ju"),
    "拓跋": ("tuo", "ba"), "完颜": ("wan", "yan"), "叶赫": ("ye", "he"), "纳兰": ("na", "lan"),
}  # fmt: skip

_LAST = 0x323AF
_DROPPED = " ·•・.\u3000\u00a0"
_DROP = {ord(ch): None for ch in _DROPPED}


@lru_cache(maxsize=1)
def _readings() -> tuple[array[int], list[str]]:
    """(index by code point, syllables): 0 means no reading."""
    spec = find_spec("pypinyin")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pypinyin is not installed")
    source = Path(spec.submodule_search_locations[0]) / "pinyin_dict.json"
    index = array("H", bytes(2 * (_LAST + 1)))
    syllables = [""]
    numbers: dict[str, int] = {}
    for code, readings in json.loads(source.read_bytes()).items():
        plain = _toneless(readings.partition(",")[0])
        if plain and int(code) <= _LAST:
            number = numbers.get(plain)
            if number is None:
                number = numbers[plain] = len(syllables)
                syllables.append(plain)
            index[int(code)] = number
    return index, syllables


@lru_cache(maxsize=4096)
def _toneless(reading: str) -> str:
    """``lǜ`` -> ``lv`` (as it is typed), ``shàn`` -> ``shan``."""
    plain = unicodedata.normalize("NFD", reading.replace("ü", "v")).replace("u\u0308", "v")
    return "".join(ch for ch in plain if ch.isascii() and ch.isalpha()).lower()


class _Syllables(dict[str, str]):
    """Character -> toneless syllable; a character without a reading stands for itself, in lower case."""

    def __missing__(self, ch: str) -> str:
        code = ord(ch)
        found = _USUAL.get(ch, "")
        if not found and 0x3007 <= code <= _LAST:
            index, syllables = _readings()
            found = syllables[index[code]]
        value = self[ch] = found or ch.lower()
        return value


class _SortTokens(dict[str, str]):
    """Character -> its token in a sort key: syllable and code point, so that all 王 stand before all 汪."""

    def __missing__(self, ch: str) -> str:
        syllable = _SYLLABLES[ch]
        if ch.isascii():
            value = syllable
        elif syllable.isascii():
            value = f"{syllable}{ord(ch):04x} "
        else:
            # No reading known: behind everything from a to z.
            value = f"{{{ord(ch):06x} "
        self[ch] = value
        return value


_SYLLABLES = _Syllables()
_SORT_TOKENS = _SortTokens()
_SURNAME_TOKENS = {ch: f"{syllable}{ord(ch):04x} " for ch, syllable in SURNAMES.items()}


def fold(text: str) -> str:
    """What is compared in a search: lower case, without blanks and middle dots."""
    return text.translate(_DROP).lower()


def syllables(text: str, *, person: bool = True) -> list[str]:
    """Toneless syllables of the folded text, one for each character; ``person``: it begins with a surname."""
    return _syllables(fold(text), person)


def _syllables(folded: str, person: bool) -> list[str]:
    found = [_SYLLABLES[ch] for ch in folded]
    if person and found:
        pair = COMPOUND_SURNAMES.get(folded[:2]) if len(folded) > 2 else None
        if pair is not None:
            found[:2] = pair
        elif folded[0] in SURNAMES:
            found[0] = SURNAMES[folded[0]]
    return found


def sort_key(text: str, *, person: bool = True) -> str:
    """ASCII key whose order in C collation is the order by pinyin, character by character.

    王德福 -> ``wang738b de5fb7 fu798f``: syllable and code point, so the same characters stay together.
    ``person``: the first character is read as a surname (单 shan); give False for places and organisations.
    """
    folded = text.translate(_DROP).lower()
    tokens = [_SORT_TOKENS[ch] for ch in folded]
    if person and tokens:
        pair = COMPOUND_SURNAMES.get(folded[:2]) if len(folded) > 2 else None
        if pair is not None:
            tokens[:2] = [f"{s}{ord(ch):04x} " for s, ch in zip(pair, folded, strict=False)]
        else:
            tokens[0] = _SURNAME_TOKENS.get(folded[0], tokens[0])
    return "".join(tokens).rstrip()


def load() -> None:
    """Read the table of readings now: a process that is forked later has it already."""
    _readings()


def initials(text: str, *, person: bool = True) -> str:
    """王德福 -> ``wdf``."""
    return "".join([s[0] for s in _syllables(fold(text), person)])


def suffixes(text: str, *, person: bool = True) -> list[str]:
    """Everything a name can be found by from some character on: 王德福 -> 王德福, 德福, 福, wdf, df, wangdefu, defu,
    fu.

    All lower case and without dots or blanks (`fold` the search word in the same way); no entry twice. The last initial
    alone is left out: the last syllable begins with it.
    """
    folded = text.translate(_DROP).lower()
    parts = _syllables(folded, person)
    if len(parts) == 3:  # as most names are, taken apart by hand in a third of the time
        x, y, z = parts
        i, j, k = x[0], y[0], z[0]
        return list(dict.fromkeys((folded, folded[1:], folded[2], i + j + k, j + k, x + y + z, y + z, z)))
    found = [folded[i:] for i in range(len(folded))]
    first = "".join([s[0] for s in parts])
    found += [first[i:] for i in range(len(first) - 1)]
    tail = ""
    whole = []
    for syllable in reversed(parts):
        tail = syllable + tail
        whole.append(tail)
    found += reversed(whole)
    return list(dict.fromkeys(found))
