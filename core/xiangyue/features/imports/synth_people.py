"""Families for the synthetic roster: who lives together, how old, who is away, who carries which mark."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

from xiangyue.features.imports import synth_data as data

_YEAR = 365.2425


@dataclass(slots=True)
class Member:
    """One made-up person. ``age`` in full years on 1 January of the roster's year; ``from_elsewhere``: married in."""

    relation: str
    name: str
    male: bool
    born: date
    age: int
    nationality: str = ""
    away: bool = False
    has_phone: bool = False
    from_elsewhere: bool = False
    marks: list[str] = field(default_factory=list)


class _Weighted:
    """Draws from (value, weight) pairs."""

    def __init__(self, pairs: Sequence[tuple[str, int]]) -> None:
        self._values = [value for value, _ in pairs]
        self._sums = list(accumulate(weight for _, weight in pairs))

    def draw(self, rng: random.Random) -> str:
        return self._values[bisect(self._sums, rng.randrange(self._sums[-1]))]


_SURNAMES = _Weighted(data.SURNAMES)
_NATIONALITIES = _Weighted(data.NATIONALITIES)
_FORMS = _Weighted(data.FORMS)


class NameMaker:
    """Names of one village: two to four families make up two thirds of it, each with its generation characters."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._clans: list[str] = []
        while len(self._clans) < rng.randint(2, 4):
            surname = _SURNAMES.draw(rng)
            if surname not in self._clans:
                self._clans.append(surname)
        start = rng.randrange(len(data.GENERATION_CHARACTERS) - 6)
        self._generations = {
            clan: data.GENERATION_CHARACTERS[(start + 3 * i) % 30 :][:5] for i, clan in enumerate(self._clans)
        }

    def surname(self) -> str:
        """Of a family of the village."""
        return self._rng.choice(self._clans) if self._rng.random() < 0.66 else _SURNAMES.draw(self._rng)

    def stranger(self) -> str:
        """Of someone who married in."""
        return _SURNAMES.draw(self._rng)

    def full(self, surname: str, male: bool, born: int) -> str:
        rng = self._rng
        _, of_men, of_women = next(row for row in reversed(data.GIVEN) if row[0] <= born)
        characters = of_men if male else of_women
        generation = self._generations.get(surname)
        last = rng.choice(characters)
        if male and generation and born < 1990 and rng.random() < 0.6:
            # A generation lasts about 24 years.
            return surname + generation[max(0, min(4, (born - 1900) // 24))] + last
        if rng.random() < 0.18 and len(surname) == 1:
            return surname + last
        return surname + rng.choice(characters) + last


def _chance(rng: random.Random, per_mille: int) -> bool:
    return rng.random() * 1000 < per_mille


def make_family(rng: random.Random, names: NameMaker, year: int) -> list[Member]:
    """The members of one household, the head first. Everyone was born before ``year``."""
    builder = _Family(rng, names, year)
    getattr(builder, _FORMS.draw(rng))()
    builder.finish()
    return builder.members


class _Family:
    def __init__(self, rng: random.Random, names: NameMaker, year: int) -> None:
        self.rng, self.names, self.year = rng, names, year
        self.surname = names.surname()
        self.nationality = _NATIONALITIES.draw(rng)
        self.members: list[Member] = []

    def add(self, relation: str, male: bool, age: int, *, surname: str | None = None) -> Member:
        """Someone of the family, or with a ``surname`` of their own who married in."""
        rng = self.rng
        age = max(0, min(age, 98))
        day = date(self.year, 1, 1) - timedelta(days=int(age * _YEAR) + 1 + rng.randrange(364))
        full_years = self.year - day.year - ((day.month, day.day) > (1, 1))
        member = Member(
            relation, self.names.full(surname or self.surname, male, day.year), male, day, full_years, self.nationality
        )
        if surname is not None:
            member.from_elsewhere = rng.random() < 0.35
            member.nationality = _NATIONALITIES.draw(rng)
        self.members.append(member)
        return member

    def wife(self, relation: str, husband: Member) -> Member:
        return self.add(relation, False, max(20, husband.age + self.rng.randint(-5, 2)), surname=self.names.stranger())

    def children(self, parent_age: int, count: int, labels: tuple[Sequence[str], Sequence[str]] | None) -> None:
        """Children of the head, the eldest first; ``labels`` for sons and daughters, None for grandchildren."""
        oldest = min(parent_age - 21, 30)
        ages = sorted((max(0, oldest - self.rng.randint(0, 9)) for _ in range(count)), reverse=True)
        sexes = [self.rng.random() < 0.52 for _ in ages]
        sons = daughters = 0
        for age, male in zip(ages, sexes, strict=True):
            if labels is None:
                relation = data.GRANDSON if male else data.GRANDDAUGHTER
            elif male:
                relation = labels[0][sons] if sexes.count(True) > 1 else data.SON
                sons += 1
            else:
                relation = labels[1][daughters] if sexes.count(False) > 1 else data.DAUGHTER
                daughters += 1
            self.add(relation, male, age)

    def some(self) -> int:
        return 1 + (self.rng.random() < 0.62) + (self.rng.random() < 0.16)

    # -- forms, named in synth_data.FORMS ---------------------------------------------------------------------------

    def alone_old(self) -> None:
        self.add(data.HEAD, self.rng.random() < 0.45, self.rng.randint(62, 90))

    def couple_old(self) -> None:
        self.wife(data.WIFE, self.add(data.HEAD, True, self.rng.randint(60, 86)))

    def alone(self) -> None:
        self.add(data.HEAD, self.rng.random() < 0.8, self.rng.randint(28, 60))

    def couple(self) -> None:
        self.wife(data.WIFE, self.add(data.HEAD, True, self.rng.randint(27, 59)))

    def parents_children(self) -> None:
        head = self.add(data.HEAD, True, self.rng.randint(25, 55))
        self.wife(data.WIFE, head)
        self.children(head.age, self.some(), (data.SON_ORDER, data.DAUGHTER_ORDER))

    def single_parent(self) -> None:
        head = self.add(data.HEAD, self.rng.random() < 0.55, self.rng.randint(27, 55))
        self.children(head.age, 1 + (self.rng.random() < 0.35), (data.SON_ORDER, data.DAUGHTER_ORDER))

    def three_generations(self) -> None:
        if self.rng.random() < 0.5:
            head = self.add(data.HEAD, True, self.rng.randint(28, 48))
            self.wife(data.WIFE, head)
            self.children(head.age, self.some(), (data.SON_ORDER, data.DAUGHTER_ORDER))
            if self.rng.random() < 0.6:
                self.add(data.FATHER, True, head.age + self.rng.randint(21, 32))
            self.add(data.MOTHER, False, head.age + self.rng.randint(20, 30), surname=self.names.stranger())
        else:
            head = self.add(data.HEAD, True, self.rng.randint(50, 70))
            self.wife(data.WIFE, head)
            son = self.add(data.SON, True, head.age - self.rng.randint(21, 28))
            self.wife(data.DAUGHTER_IN_LAW, son)
            self.children(son.age, self.some(), None)

    def skipped_generation(self) -> None:
        head = self.add(data.HEAD, True, self.rng.randint(54, 72))
        self.wife(data.WIFE, head)
        self.children(head.age - 24, 1 + (self.rng.random() < 0.4), None)

    # -- what follows from the whole family ---------------------------------------------------------------------------

    def finish(self) -> None:
        rng = self.rng
        adults = [m for m in self.members if 18 <= m.age < 60]
        for member in adults:
            member.away = member.age < 56 and _chance(rng, data.AWAY_ADULT)
        for member in adults:
            if member.relation in (data.WIFE, data.DAUGHTER_IN_LAW):
                husband = data.HEAD if member.relation == data.WIFE else data.SON
                gone = any(m.away for m in self.members if m.relation == husband)
                member.away = gone and _chance(rng, data.AWAY_WIFE_TOO)
        self._marks_of_the_left_behind()
        self._other_marks()
        for member in self.members:
            member.has_phone = member.age >= 14 and _chance(rng, data.PHONE_ADULT if member.age < 70 else 480)

    def _marks_of_the_left_behind(self) -> None:
        grandchildren = (data.GRANDSON, data.GRANDDAUGHTER)
        at_home = [m for m in self.members if 18 <= m.age < 60 and not m.away]
        gone = {m.relation for m in self.members if m.away}
        for member in self.members:
            if member.age < 16:
                parents = (
                    (data.SON, data.DAUGHTER_IN_LAW) if member.relation in grandchildren else (data.HEAD, data.WIFE)
                )
                living_here = {m.relation for m in self.members} & set(parents)
                if living_here <= gone:
                    member.marks.append(data.MARK_CHILD)
            elif 18 <= member.age < 60 and not member.away and not member.male:
                husband = {data.WIFE: data.HEAD, data.DAUGHTER_IN_LAW: data.SON}.get(member.relation)
                if husband in gone:
                    member.marks.append(data.MARK_WOMAN)
            elif member.age >= 60 and not at_home and (gone or any(m.age < 18 for m in self.members)):
                member.marks.append(data.MARK_ELDER)
        if len(self.members) == 1 and self.members[0].age >= 60:
            self.members[0].marks.append(data.MARK_ALONE)

    def _other_marks(self) -> None:
        rng = self.rng
        poor = _chance(rng, data.LIFTED_OUT)
        monitored = _chance(rng, data.MONITORED)
        low = _chance(rng, data.LOW_INCOME)
        for member in self.members:
            if member.age >= 20 and _chance(rng, data.PARTY_ADULT):
                member.marks.append(data.MARK_PARTY)
            if member.male and member.age >= 22 and _chance(rng, data.VETERAN_MAN):
                member.marks.append(data.MARK_VETERAN)
            if _chance(rng, data.DISABLED_OLD if member.age >= 60 else data.DISABLED):
                member.marks.append(data.MARK_DISABLED)
            for has, mark in ((poor, data.MARK_LIFTED), (monitored, data.MARK_MONITORED), (low, data.MARK_LOW_INCOME)):
                if has:
                    member.marks.append(mark)
