"""Working days as Chinese offices count them."""

from __future__ import annotations

from datetime import date

from xiangyue.text.workdays import Deadline, add_working_days, is_working_day, working_days_between


def test_holidays_and_the_weekends_worked_for_them_count_as_announced() -> None:
    assert is_working_day(date(2025, 10, 1)) == (False, True)
    assert is_working_day(date(2025, 9, 28)) == (True, True), "a Sunday worked for the National Day"
    assert add_working_days(date(2025, 9, 26), 3) == Deadline(date(2025, 9, 30), False)
    assert add_working_days(date(2025, 9, 30), 1) == Deadline(date(2025, 10, 9), False)
    assert add_working_days(date(2025, 9, 30), 0) == Deadline(date(2025, 9, 30), False)


def test_a_year_not_announced_yet_is_counted_by_weekdays_and_said() -> None:
    assert add_working_days(date(2098, 12, 31), 2) == Deadline(date(2099, 1, 5), True), "New Year is always a holiday"
    assert is_working_day(date(2099, 10, 1)) == (False, False)


def test_days_left_are_working_days() -> None:
    assert working_days_between(date(2025, 9, 30), date(2025, 10, 9)) == 1
    assert working_days_between(date(2025, 9, 30), date(2025, 9, 30)) == 0
    assert working_days_between(date(2025, 10, 9), date(2025, 9, 30)) == -1
