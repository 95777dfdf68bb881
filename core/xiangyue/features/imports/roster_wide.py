# data: zh
"""Sheets with one row for each household: the head, and the members in columns of their own (成员1姓名, 成员1身份证号,
or 姓名1, 姓名2 …, or under groups 户主, 成员1, 成员2 in the row above) or all in one cell.

Such a row is read as the rows of a roster: one for each person. What is said of the household stands in the head's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from xiangyue.features.imports.roster_columns import Column, bare_header, fold_header
from xiangyue.features.imports.roster_header import HeaderFinder
from xiangyue.features.imports.roster_places import MOST_MEMBERS
from xiangyue.features.imports.roster_words import NO_VALUE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text import idnumber
from xiangyue.text.codes import HEAD, RELATIONS, SEX
from xiangyue.text.folding import cell_text, half_width

#: Key of the column whose cells name all members.
MEMBERS = "members"
#: In every row of the household; all else of it stands in the head's row.
_SHARED = ("town", "village", "group", "household_no")
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_BEFORE = re.compile(
    r"(?:家庭)?(?:成员|人员|家属|member|person)([0-9]{1,2}|[一二三四五六七八九十])(?:号|的)?[-_:.、]?(.+)"
)
_BEHIND = re.compile(r"(.+?)[-_(]?([0-9]{1,2})\)?")
_OF_HEAD = re.compile(r"(?:户主|householder|head)(?:本人|的|信息)?[-_:.、]?(.+)")
_GROUP = re.compile(
    r"(?:家庭)?(?:成员|人员|家属|member|person)(?:[0-9]{1,2}|[一二三四五六七八九十])|(户主|head)(?:信息|情况|本人)?"
)
_IN_ONE_CELL = frozenset(
    ("家庭成员", "成员", "家庭成员情况", "家庭成员信息", "其他家庭成员", "家属", "members", "familymembers")
)
_BETWEEN = re.compile(r"[、;；\n，,](?![^(]*\))")
_INSIDE = re.compile(r"[()\s:：,，、]+")
_PHONE = re.compile(r"1[0-9]{10}")
_SHORT_NAME = 4
_MOST_IN_CELL = 20


class WideFinder(HeaderFinder):
    """Knows the headings of a sheet with a row for each household. Keys of members are ``name#2``; without a number
    they are the head's."""

    def __init__(self, columns: Sequence[Column], members: int = 0) -> None:
        super().__init__(columns)
        self._persons = {column.key for column in columns if column.entity == "person"}
        self.columns = wide_columns(columns, members)
        self.by_key = {column.key: column for column in self.columns}

    def key_of(self, text: str) -> str | None:
        folded = fold_header(half_width(text))
        if folded in _IN_ONE_CELL:
            return MEMBERS
        known = super().key_of(text)
        if known is not None:
            return known
        for form in (folded, fold_header(bare_header(text))):
            if (found := _OF_HEAD.fullmatch(form)) and (key := self._person(found[1])):
                return key
            if (found := _BEFORE.fullmatch(form)) and (key := self._person(found[2])):
                return f"{key}#{_number(found[1])}"
            if (found := _BEHIND.fullmatch(form)) and (key := self._person(found[1])):
                return f"{key}#{int(found[2])}"
        return None

    def _person(self, text: str) -> str | None:
        key = self.known.get(text)
        return key if key in self._persons else None


def _number(text: str) -> int:
    return _NUMERALS.get(text) or int(text)


def wide_columns(columns: Sequence[Column], members: int) -> tuple[Column, ...]:
    """The columns of a sheet whose rows are households with up to ``members`` members beside the head."""
    head = [replace(column, required=False) if column.key == "relation" else column for column in columns]
    if members and not any(column.key == MEMBERS for column in head):
        # Where members are numbered the head may be one of them.
        head = [replace(column, required=False) if column.entity == "person" else column for column in head]
    cell = Column(
        MEMBERS, "家庭成员", "Family members", "members", "household", False,
        _l("All members but the head: name, relation and citizen number of each, separated by commas."),
        "陈示例(妻,610921198202021240)、王小例(子)", "陈示例(妻,610921198202021240)、王小例(子)", 40,
    )  # fmt: skip
    more = [
        replace(column, key=f"{column.key}#{n}", zh=f"成员{n}{column.zh}", en=f"Member {n}: {column.en}",
                required=False, aliases=())
        for n in range(1, members + 1)
        for column in columns
        if column.entity == "person"
    ]  # fmt: skip
    return (*head, cell, *more)


def grouped(header: Sequence[Any], above: Sequence[Any]) -> list[Any]:
    """The header with groups above it written into its headings: 姓名 under 成员1 is 成员1姓名."""
    groups: list[str] = []
    now = ""
    for value in above:
        text = fold_header(cell_text(value))
        if text:
            found = _GROUP.fullmatch(text)
            now = "" if found is None else "户主" if found[1] else text
        groups.append(now)
    if len(set(groups) - {""}) < 2:
        return list(header)
    return [
        f"{groups[place]}{value}" if place < len(groups) and groups[place] and cell_text(value) else value
        for place, value in enumerate(header)
    ]


def members_of(finder: WideFinder, header: Sequence[Any]) -> int | None:
    """How many numbered members the rows of a sheet with this header have; None where a row is one person."""
    keys = [finder.key_of(value) if isinstance(value, str) else None for value in header]
    numbers = {int(key.partition("#")[2]) for key in keys if key and "#" in key}
    named = {int(key.partition("#")[2]) for key in keys if key and key.startswith("name#")}
    plain = HeaderFinder.key_of
    head = any(
        key == "name" and isinstance(value, str) and plain(finder, value) is None
        for key, value in zip(keys, header, strict=True)
    )
    person = any(isinstance(value, str) and plain(finder, value) == "name" and finder.key_of(value) == "name"
                 for value in header)  # fmt: skip
    if len(named) >= 2 or (named and (head or person)):
        return min(max(numbers), MOST_MEMBERS)
    if (head and not person) or (MEMBERS in keys and person and "relation" not in keys):
        return 0
    return None


def persons_of(cells: Mapping[str, Any], persons: Container[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(member, cells as a roster has them) of each person in the row of a household; 0 is the head.

    ``persons``: keys of the columns that say something of a person.
    """
    shared = {key: cells[key] for key in _SHARED if key in cells}
    people: dict[int, dict[str, Any]] = {}
    home: dict[str, Any] = {}
    for key, value in cells.items():
        bare, _mark, number = key.partition("#")
        if number:
            people.setdefault(int(number), {})[bare] = value
        elif key in persons:
            people.setdefault(0, {})[key] = value
        elif key not in shared and key != MEMBERS:
            home[key] = value
    # A place for a member that says there is none.
    people = {n: said for n, said in people.items() if not n or not NO_VALUE.issuperset(said.values())}
    if 0 in people or not people:
        people.setdefault(0, {}).setdefault("relation", RELATIONS.zh(HEAD))
    last = max(people)
    for place, person in enumerate(in_one_cell(cell_text(cells.get(MEMBERS))), last + 1):
        people[place] = person
    head = next((n for n in sorted(people) if RELATIONS.parse(people[n].get("relation", "")) == HEAD), min(people))
    for place in sorted(people):
        yield place, {**shared, **people[place], **(home if place == head else {})}


def in_one_cell(text: str) -> list[dict[str, Any]]:
    """Persons named in one cell: 陈试二(妻,610921198202021240)、王小三 子.

    What is not understood stays in the name, where the check will tell it.
    """
    found = []
    for piece in () if text in NO_VALUE else _BETWEEN.split(half_width(text)):
        person: dict[str, Any] = {}
        words: list[str] = []
        for word in filter(None, _INSIDE.split(piece)):
            if idnumber.tells_number(word):
                person.setdefault("id_number", word)
            elif _PHONE.fullmatch(word):
                person.setdefault("phone", word)
            elif "relation" not in person and RELATIONS.parse(word):
                person["relation"] = word
            elif "sex" not in person and words and SEX.parse(word):
                person["sex"] = word
            else:
                words.append(word)
        if words:
            # 王 试一 is a name with a blank in it; anything longer is told by the check.
            whole = len(words) == 1 or (len(words) == 2 and len(words[0]) + len(words[1]) <= _SHORT_NAME)
            person["name"] = "".join(words) if whole else " ".join(words) + "?"
        if person:
            found.append(person)
    return found if len(found) <= _MOST_IN_CELL else [{"name": f"{text}?"}]
