# data: zh
"""Finding the area that a roster's town, village and group cells mean.

People write 上七村村委会, 上七村, 上七 or 漩涡镇上七村; all are the same village. A name that two villages
of a town share after shortening (蒲溪社区, 蒲溪村) is told back, never guessed. What cannot be found gets the
likeliest name by look and by sound (漩窝镇 -> 漩涡镇).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from heapq import nsmallest
from typing import NamedTuple, Protocol

from xiangyue.text.folding import cell_text, without_spaces
from xiangyue.text.pinyin import syllables

TOWN, VILLAGE, GROUP = "town", "village", "group"


class AreaRow(NamedTuple):
    """One area: 15-digit code; level county, town, village or group; official and short name; parent's
    code; former names.
    """

    code: int
    level: str
    official_name: str
    name: str
    parent: int | None = None
    former: tuple[str, ...] = ()


class AreaMatch(NamedTuple):
    """``code``: the village's 15 digits, or None; then ``suggestion`` is the likeliest name (or "") for the
    cell in ``column`` (town or village) and ``problem`` says what is wrong: town_unknown, village_unknown,
    village_ambiguous. ``former``: found by a name that the town or the village no longer has."""

    code: int | None
    suggestion: str = ""
    column: str = ""
    problem: str = ""
    former: bool = False


class AreaIndex(Protocol):
    """What the checker needs of the county's areas."""

    def find(self, town_text: str, village_text: str) -> AreaMatch:
        """The village meant by two cells."""
        ...

    def find_above(self, text: str) -> AreaMatch:
        """The town meant, or the county by its own name."""
        ...

    def find_group(self, village_code: int, group_text: str) -> int | None:
        """The existing group meant, or None when the village has none of that name or number."""
        ...


_TOWN_ENDS = re.compile(r"(?:人民政府|办事处|街道办)$")
_TOWN_KIND = re.compile(r"(?<=.)(?:街道|镇|乡)$")
_VILLAGE_ENDS = re.compile(r"(?<=.)(?:村民委员会|社区居民委员会|居民委员会|社区居委会|村委会|居委会|类似村)$")
_VILLAGE_KIND = re.compile(r"(?<=.)(?:社区|村)$")
#: Ways to write the committee after the bare name, by kind.
_ENDS_OF = {
    "村": ("村委会", "村村委会", "村民委员会", "村村民委员会"),
    "社区": ("社区居委会", "社区居民委员会"),
}
_GROUP = re.compile(r"第?([0-9]{1,3}|[〇零一二三四五六七八九十百两]{1,5})(?:村民小组|居民小组|小组|组|队)?")
_DIGITS = {ch: i for i, ch in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


def parse_group(value: object) -> tuple[int | None, str]:
    """(number, name) of a group cell: ``3``, ``3组``, ``第三组``, ``三组村民小组`` -> (3, "三组"); other
    names as written.
    """
    return _parse_group(value if isinstance(value, str) else cell_text(value))


@lru_cache(maxsize=4096)
def _parse_group(value: str) -> tuple[int | None, str]:
    text = without_spaces(value)
    match = _GROUP.fullmatch(text)
    if match is None and text.endswith("村民小组"):
        match = _GROUP.fullmatch(text.removesuffix("村民小组"))
    if match is not None:
        number = int(match[1]) if match[1].isdigit() else _chinese_number(match[1])
        if 1 <= number <= 999:
            return number, group_name(number)
    return None, text


def group_name(number: int) -> str:
    """3 -> 三组, 21 -> 二十一组, 120 -> 120组."""
    ones = "零一二三四五六七八九"
    if number < 10:
        return f"{ones[number]}组"
    if number < 100:
        tens, rest = divmod(number, 10)
        return f"{ones[tens] if tens > 1 else ''}十{ones[rest] if rest else ''}组"
    return f"{number}组"


def _chinese_number(text: str) -> int:
    total, digit = 0, 0
    if not any(ch in "十百" for ch in text):
        return int("".join(str(_DIGITS[ch]) for ch in text))
    for ch in text:
        if ch in "十百":
            total += (digit or 1) * (10 if ch == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[ch]
    return total + digit


def _town_forms(area: AreaRow) -> set[str]:
    full = {_TOWN_ENDS.sub("", without_spaces(n)) for n in (area.official_name, area.name) if n}
    return full | {_TOWN_KIND.sub("", n) for n in full}


def _village_forms(area: AreaRow) -> tuple[set[str], set[str]]:
    """(names as such, names cut short)."""
    exact = {without_spaces(n) for n in (area.official_name, area.name) if n}
    shorter: set[str] = set()
    for name in exact:
        stem = _VILLAGE_ENDS.sub("", name)
        bare = _VILLAGE_KIND.sub("", stem)
        # 东南村委会 is cut to 东南, and people write 东南村; 南街社区居委会 to 南街, and they write 南街社区.
        kind = "村" if "村" in name[len(bare) :] else "社区" if "社区" in name[len(bare) :] else ""
        shorter |= {stem, bare, bare + kind, *(bare + end for end in _ENDS_OF.get(kind, ("居委会", "居民委员会")))}
    return exact, shorter - exact


class ListAreaIndex:
    """`AreaIndex` over a list of areas, all in memory (a county has a few hundred). Answers are
    remembered.
    """

    def __init__(self, areas: Iterable[AreaRow]) -> None:
        self._rows = list(areas)
        self._towns: dict[str, set[int]] = {}
        self._villages: dict[int, dict[str, set[int]]] = {}
        self._short: dict[int, dict[str, set[int]]] = {}
        self._groups: dict[tuple[int, str], int] = {}
        #: By former names: asked only where no name of today fits.
        self._former_towns: dict[str, set[int]] = {}
        self._former: dict[int, dict[str, set[int]]] = {}
        self._names: dict[int, str] = {row.code: row.name for row in self._rows}
        county = [row for row in self._rows if row.level == "county"]
        self._counties = {without_spaces(row.official_name) for row in county} - {""}
        self._county = {without_spaces(name): row.code for row in county for name in (row.official_name, row.name)}
        self._answers: dict[tuple[str, str], AreaMatch] = {}
        for row in self._rows:
            self._add(row)

    def _add(self, row: AreaRow) -> None:
        if row.level == TOWN:
            for form in _town_forms(row):
                self._towns.setdefault(form, set()).add(row.code)
            for name in row.former:
                for form in _town_forms(row._replace(official_name=name, name=name)):
                    self._former_towns.setdefault(form, set()).add(row.code)
        elif row.level == VILLAGE:
            town = row.code // 10**6 * 10**6
            exact, shorter = _village_forms(row)
            for form in exact:
                self._villages.setdefault(town, {}).setdefault(form, set()).add(row.code)
            for form in shorter:
                self._short.setdefault(town, {}).setdefault(form, set()).add(row.code)
            for name in row.former:
                for form in set().union(*_village_forms(row._replace(official_name=name, name=name))):
                    self._former.setdefault(town, {}).setdefault(form, set()).add(row.code)
        elif row.level == GROUP:
            village = row.code // 1000 * 1000
            for name in (row.name, row.official_name):
                if name:
                    self._groups.setdefault((village, parse_group(name)[1]), row.code)

    def find_group(self, village_code: int, group_text: str) -> int | None:
        return self._groups.get((village_code, parse_group(group_text)[1]))

    def find_above(self, text: str) -> AreaMatch:
        text = without_spaces(text)
        if text in self._county:
            return AreaMatch(self._county[text])
        for county in self._counties:
            text = text.removeprefix(county) or text
        named = _TOWN_ENDS.sub("", text)
        for towns, former in ((self._towns, False), (self._former_towns, True)):
            if len(codes := towns.get(named, set())) == 1:
                return AreaMatch(next(iter(codes)), former=former)
        return AreaMatch(None, self._likely_town(text, ""), TOWN, "town_unknown")

    def find(self, town_text: str, village_text: str) -> AreaMatch:
        found = self._answers.get((town_text, village_text))
        if found is None:
            found = self._find(without_spaces(town_text), without_spaces(village_text))
            if len(self._answers) < 50_000:
                self._answers[town_text, village_text] = found
        return found

    def _find(self, town_text: str, village_text: str) -> AreaMatch:
        for county in self._counties:
            town_text = town_text.removeprefix(county) or town_text
            village_text = village_text.removeprefix(county) or village_text
        named = _TOWN_ENDS.sub("", town_text)
        towns = self._towns.get(named, set())
        if len(towns) == 1:
            (town,) = towns
            return self._find_in(town, town_text, village_text)
        # A town that was dissolved into several others: the village tells which.
        found = [self._find_in(town, town_text, village_text) for town in sorted(self._former_towns.get(named, ()))]
        hits = [match for match in found if match.code is not None]
        if towns or not found:
            return AreaMatch(None, self._likely_town(town_text, village_text), TOWN, "town_unknown")
        if len(hits) == 1 or len(found) == 1:
            return (hits or found)[0]._replace(former=True)
        if hits:
            names = "、".join(sorted(self._names[match.code] for match in hits if match.code is not None))
            return AreaMatch(None, names, VILLAGE, "village_ambiguous")
        return next((match for match in found if match.suggestion), found[0])

    def _find_in(self, town: int, town_text: str, village_text: str) -> AreaMatch:
        """The village of a town; by a former name only where no name of today fits."""
        ways = ((self._villages_named, False), (lambda t, text: self._former.get(t, {}).get(text, set()), True))
        for named, former in ways:
            text = village_text
            codes = named(town, text)
            for prefix in (town_text, self._names[town]):
                # Only when the whole is not found: some villages are called after their town.
                if not codes and text != town_text:
                    text = text.removeprefix(prefix) or text
                    codes = named(town, text)
            if len(codes) == 1:
                return AreaMatch(next(iter(codes)), former=former)
            if codes:
                names = "、".join(sorted(self._names[code] for code in codes))
                return AreaMatch(None, names, VILLAGE, "village_ambiguous")
        return AreaMatch(None, self._likely_village(town, text), VILLAGE, "village_unknown")

    def _villages_named(self, town: int, text: str) -> set[int]:
        codes = self._villages.get(town, {}).get(text) or self._short.get(town, {}).get(text, set())
        if not codes and len(text) == 12 and text.isdigit() and int(text) * 1000 in self._names:
            codes = {int(text) * 1000} if int(text) * 1000 // 10**6 * 10**6 == town else set()
        return codes

    def _likely_town(self, text: str, village_text: str) -> str:
        names = [row.name for row in self._rows if row.level == TOWN]
        best = likeliest(text, names)
        if best or not village_text:
            return best
        # Nothing like it: the village's name tells the town if only one has such a village.
        homes = {t for t in set(self._villages) | set(self._short) if self._villages_named(t, village_text)}
        return self._names.get(homes.pop(), "") if len(homes) == 1 else ""

    def _likely_village(self, town: int, text: str) -> str:
        return likeliest(text, [r.name for r in self._rows if r.level == VILLAGE and r.code // 10**6 * 10**6 == town])


#: How much less like than the likeliest a name may be to stand beside it.
_FARTHEST = 20.0


def likeliest(text: str, names: Iterable[str]) -> str:
    """The name most like the text by its characters or by its sound, or "" when none is near.

    A sound that is the same counts more than most of the characters: people choose the wrong one of two
    homophones.
    """
    return next(iter(likely_names(text, names, limit=1)), "")


def likely_names(text: str, names: Iterable[str], *, limit: int, floor: float = 55.0) -> list[str]:
    """The names most like the text (`likeliest`), the likeliest first; ``floor``: likeness that is too little."""
    from rapidfuzz import fuzz

    if not text:
        return []
    sound = " ".join(syllables(text, person=False))
    scores: list[tuple[float, int, str]] = []
    for place, name in enumerate(dict.fromkeys(names)):
        score = max(fuzz.ratio(text, name), fuzz.ratio(sound, " ".join(syllables(name, person=False))) - 12)
        if score > floor:
            scores.append((-score, place, name))
    best = nsmallest(limit, scores)
    # Beside one that is very like, the others are noise.
    return [name for score, _place, name in best if score <= best[0][0] + _FARTHEST]
