"""A believable roster of people who never lived, over the real villages of a county.

Every citizen number carries a check digit that is wrong on purpose, so none can belong to a person; phones lie in
ranges that no subscriber has. The same areas, number of households, seed and year give the same file, byte by byte.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO

import xlsxwriter

from xiangyue.features.imports import synth_data as data
from xiangyue.features.imports.roster_areas import VILLAGE, AreaRow, group_name
from xiangyue.features.imports.roster_columns import DEFAULT_MARK_KINDS, STANDARD_COLUMNS
from xiangyue.features.imports.roster_template import SHEET_NAMES
from xiangyue.features.imports.synth_people import Member, NameMaker, make_family
from xiangyue.text.idnumber import CHECK_DIGITS, check_digit, known_region

#: Households in a villager group, about.
_GROUP_SIZE = 22


@dataclass(slots=True)
class SynthSummary:
    """What was written: counts of households, persons, villages with households, groups, persons away, and persons
    by mark."""

    households: int = 0
    persons: int = 0
    villages: int = 0
    groups: int = 0
    away: int = 0
    marks: dict[str, int] = field(default_factory=dict)


def write_roster(
    stream: IO[bytes],
    areas: Sequence[AreaRow],
    households: int,
    seed: int,
    year: int,
    *,
    mark_names: Collection[str] | None = None,
) -> SynthSummary:
    """Write an .xlsx roster as the template has it; memory does not grow with the number of households.

    ``areas``: the county's, its towns and villages are used; ``year``: of the incomes, and everyone was born before
    it; ``mark_names``: names of the marks the county has (default: `DEFAULT_MARK_KINDS`), others are left out.

    :raises ValueError: no villages, or households below one.
    """
    if households < 1:
        raise ValueError("households must be at least 1")
    if not any(area.level == VILLAGE for area in areas):
        raise ValueError("no villages among the areas")
    allowed = {kind.name for kind in DEFAULT_MARK_KINDS} if mark_names is None else set(mark_names)
    summary = SynthSummary()
    rng = random.Random(seed)  # noqa: S311
    # Before the workbook is begun: it refuses areas that no citizen number can name.
    numbers = _IdNumbers(rng, sorted({area.code // 10**9 for area in areas if area.level == VILLAGE}))
    book = xlsxwriter.Workbook(stream, {"constant_memory": True, "strings_to_urls": False})
    # The only thing in the file that would tell one run from another.
    book.set_properties({"created": datetime(year, 1, 1)})
    sheet = book.add_worksheet(SHEET_NAMES["zh"])
    bold = book.add_format({"bold": True, "bg_color": "#E8F1EC", "bottom": 1})
    text = book.add_format({"num_format": "@"})
    for position, column in enumerate(STANDARD_COLUMNS):
        sheet.set_column(position, position, column.width, text)
    sheet.freeze_panes(1, 0)
    for position, column in enumerate(STANDARD_COLUMNS):
        sheet.write_string(0, position, column.zh, bold)
    write_string, write_number = sheet.write_string, sheet.write_number
    try:
        for row_no, cells in enumerate(_rows(rng, numbers, areas, households, year, allowed, summary), 1):
            for position, value in enumerate(cells):
                if value.__class__ is str:
                    if value:
                        write_string(row_no, position, value)
                elif value is not None:
                    write_number(row_no, position, value)
    finally:
        # It keeps rows in a temporary file.
        book.close()
    return summary


def _rows(
    rng: random.Random,
    numbers: _IdNumbers,
    areas: Sequence[AreaRow],
    households: int,
    year: int,
    allowed: set[str],
    summary: SynthSummary,
) -> Iterator[tuple[str | int | None, ...]]:
    """Cells in the order of `STANDARD_COLUMNS`."""
    names = {area.code: area.name for area in areas}
    villages = sorted((area for area in areas if area.level == VILLAGE), key=lambda area: area.code)
    phones = _Phones(rng)
    for village, count in zip(villages, _shares(rng, len(villages), households), strict=True):
        if not count:
            continue
        town = names.get(village.code // 10**6 * 10**6, "")
        groups = max(1, round(count / _GROUP_SIZE))
        summary.villages += 1
        summary.groups += groups
        maker = NameMaker(rng)
        # Level of incomes differs between villages more than between neighbours.
        wealth = rng.lognormvariate(0, 0.18)
        for n in range(count):
            group = group_name(n * groups // count + 1)
            family = make_family(rng, maker, year)
            address = data.HOUSE_NO.format(town=town, village=village.name, group=group, n=n + 1)
            income = _income(rng, family, wealth)
            summary.households += 1
            for member in family:
                marks = [mark for mark in member.marks if mark in allowed]
                summary.persons += 1
                summary.away += member.away
                for mark in marks:
                    summary.marks[mark] = summary.marks.get(mark, 0) + 1
                head = member.relation == data.HEAD
                yield (
                    town,
                    village.name,
                    group,
                    f"{n + 1:04d}",
                    member.relation,
                    member.name,
                    data.MALE if member.male else data.FEMALE,
                    numbers.make(member),
                    member.born.isoformat(),
                    member.nationality,
                    phones.make() if member.has_phone else None,
                    address if head else None,
                    "、".join(marks),
                    data.YES if member.away else data.NO,
                    income if head else None,
                    year if head else None,
                )


def _shares(rng: random.Random, villages: int, households: int) -> list[int]:
    """Households of each village: of different sizes, together exactly as many as wanted."""
    weights = [rng.lognormvariate(0, 0.35) for _ in range(villages)]
    total = sum(weights)
    exact = [weight / total * households for weight in weights]
    shares = [int(share) for share in exact]
    rest = households - sum(shares)
    largest = sorted(range(villages), key=lambda i: (shares[i] - exact[i], i))
    for i in largest[:rest]:
        shares[i] += 1
    return shares


def _income(rng: random.Random, family: list[Member], wealth: float) -> int:
    """Yuan in a year: land and pensions for each, wages for those at work, more for those away."""
    total = 0.0
    for member in family:
        total += 2_600
        if 18 <= member.age < 62:
            total += (26_000 if member.away else 13_500) * rng.lognormvariate(0, 0.35)
        elif member.age >= 62:
            total += 3_200
    return round(total * wealth / 100) * 100


class _IdNumbers:
    """Citizen numbers with a wrong check digit, none twice."""

    def __init__(self, rng: random.Random, counties: list[int]) -> None:
        self._rng = rng
        self._home = [f"{county:06d}" for county in counties if known_region(f"{county:06d}")]
        if not self._home:
            raise ValueError("the areas' county codes are not in the register of GB/T 2260")
        prefecture = self._home[0][:4]
        near = [f"{prefecture}{n:02d}" for n in range(1, 100)]
        self._near = [code for code in near if known_region(code) and code not in self._home] or self._home
        self._used: dict[tuple[str, date, bool], int] = {}

    def make(self, member: Member) -> str:
        """A number that fits birth date and sex; those who married in were mostly born in a county near by."""
        region = self._rng.choice(self._near if member.from_elsewhere else self._home)
        key = (region, member.born, member.male)
        turn = self._used.get(key)
        if turn is None:
            turn = self._rng.randrange(499)
        # 499 is prime, so a step of 7 comes round to a sequence again only after all the others.
        self._used[key] = turn + 7
        sequence = (turn % 499) * 2 + (1 if member.male else 2)
        body = f"{region}{member.born:%Y%m%d}{sequence:03d}"
        right = CHECK_DIGITS.index(check_digit(body))
        wrong = CHECK_DIGITS[(right + self._rng.randrange(1, 11)) % 11]
        if body.endswith("00") and wrong == "0":
            # Three zeros at the end look like a number that a spreadsheet has cut.
            wrong = next(ch for ch in CHECK_DIGITS if ch not in ("0", CHECK_DIGITS[right]))
        return body + wrong


class _Phones:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def make(self) -> str:
        return f"{self._rng.choice(data.PHONE_PREFIXES)}{self._rng.randrange(10**8):08d}"
