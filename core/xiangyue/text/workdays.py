"""Chinese working days by the kept library of public holidays; beyond the years it knows, Monday to Friday but for
the holidays that stand on the same days every year.

The State Council announces a year's holidays in the autumn before it, so a deadline in a later year is provisional:
whoever shows it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

#: (month, day) of New Year, Labour Day and National Day (全国年节及纪念日放假办法, 2024, article 2); the others follow
#: the moon or the sun.
FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})


@dataclass(frozen=True, slots=True)
class Deadline:
    """``provisional``: some day on the way lies in a year whose holidays are not known yet."""

    day: date
    provisional: bool


def is_working_day(day: date) -> tuple[bool, bool]:
    """(whether people work, whether that is known)."""
    try:
        return chinese_calendar.is_workday(day), True
    except NotImplementedError:
        return day.weekday() < 5 and (day.month, day.day) not in FIXED, False


def add_working_days(start: date, days: int) -> Deadline:
    """The last of ``days`` working days, counted from the day after ``start``."""
    day, provisional = start, False
    while days > 0:
        day += timedelta(days=1)
        works, known = is_working_day(day)
        provisional = provisional or not known
        days -= works
    return Deadline(day, provisional)


def working_days_between(first: date, last: date) -> int:
    """Working days after ``first`` up to ``last``: 0 on the day itself, negative when ``last`` is past."""
    if last < first:
        return -working_days_between(last, first)
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(is_working_day(day)[0] for day in days)
