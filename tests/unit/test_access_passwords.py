"""Passwords: hashed well, and weak ones named in both languages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher

import xiangyue.access
from xiangyue.access.passwords import (
    MAX_LENGTH,
    READABLE,
    check_strength,
    common_passwords,
    hash_password,
    one_time_password,
    verify_password,
)
from xiangyue.i18n import add_catalogue, in_locale

add_catalogue(Path(xiangyue.access.__file__).parent / "translations")

GOOD = "木桥-paper-71-lantern"


def messages(password: str, login: str = "zhangsan", name: str = "张三丰", county: str = "hanyin") -> list[str]:
    with in_locale("en"):
        return [str(one) for one in check_strength(password, login, name, county)]


def test_right_and_wrong_password() -> None:
    stored = hash_password(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != hash_password(GOOD)
    assert verify_password(stored, GOOD) == (True, False)
    assert verify_password(stored, GOOD + " ") == (False, False)
    assert verify_password(stored, "") == (False, False)


def test_full_width_letters_are_the_same_password() -> None:
    assert verify_password(hash_password("river-stone-42"), "ｒｉｖｅｒ－ｓｔｏｎｅ－４２")[0]


def test_a_hash_with_weaker_parameters_wants_renewal() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    assert verify_password(weak, GOOD) == (True, True)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$broken"])
def test_nothing_usable_stored_is_wrong_whatever_is_given(stored: str | None) -> None:
    assert verify_password(stored, GOOD) == (False, False)


def test_an_unknown_login_costs_as_much_time_as_a_known_one() -> None:
    stored = hash_password(GOOD)
    verify_password(None, GOOD)  # makes the dummy

    def best(hash_: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            verify_password(hash_, "wrong password")
            times.append(time.perf_counter() - start)
        return min(times)

    assert 0.3 < best(None) / best(stored) < 3


def test_odd_input_is_answered_not_crashed_on() -> None:
    stored = hash_password(GOOD)
    assert verify_password(stored, "\ud800 lone surrogate") == (False, False)
    assert verify_password(stored, "x" * 1_000_000) == (False, False)
    assert verify_password(stored, GOOD + "x" * MAX_LENGTH) == (False, False)


@pytest.mark.parametrize(
    "password",
    [GOOD, "correct horse battery", "k7wm-3hxp-q9vt", "清明时节雨纷纷路上行人", "Wolke7!Regen+Ofen"],
)
def test_good_passwords_pass(password: str) -> None:
    assert messages(password) == []


@pytest.mark.parametrize(
    ("password", "part"),
    [
        ("kx7-wq2", "at least 10 characters"),
        ("x7-" * 100, "at most 256 characters"),
        ("woaini1314", "among those that are tried first"),
        ("WoAiNi1314!", "among those that are tried first"),
        ("P@ssw0rd2024", "among those that are tried first"),
        ("admin@123456", "among those that are tried first"),
        ("xiangcunzhenxing2026", "among those that are tried first"),
        ("1qaz2wsx3edc", "among those that are tried first"),
        ("1234567890", "among those that are tried first"),
        ("qwertyuiop[1]", "among those that are tried first"),
        ("4567ertyu9876", "run along the keyboard"),
        ("poiuytrewq12", "run along the keyboard"),
        ("abc12abc12abc12", "Don't repeat"),
        ("8888888888", "Don't repeat"),
        ("aabbaabbab", "Don't repeat"),
        ("wxm19880912", "identity numbers"),
        ("13812907731", "identity numbers"),
        ("610921199001011234", "identity numbers"),
        ("shuangliao2024", "name or word with a number"),
        ("tongyu@2025!", "name or word with a number"),
        ("lixiaohong88", "name or word with a number"),
        ("hanyin2024", "the name of the county"),
        ("zhangsan-oak-window", "your sign-in name"),
        ("oak-zhangsanfeng-7", "your own name"),
        ("oak张三丰window", "your own name"),
    ],
)
def test_weak_passwords_are_told_why(password: str, part: str) -> None:
    assert any(part in message for message in messages(password)), messages(password)


def test_messages_in_chinese() -> None:
    with in_locale("zh"):
        assert [str(one) for one in check_strength("abc", "x", "y")] == [
            "至少要 10 个字符。",
            "这个密码太常见，别人最先就会试它。请换一个。",
        ]
        for password in ("x" * 300, "8888888888", "13812907731", "shuangliao2024", "zhangsan-oak-window"):
            for message in check_strength(password, "zhangsan", "张三"):
                assert not any("a" <= letter <= "z" for letter in str(message)), str(message)


def test_short_logins_and_names_do_not_forbid_half_of_all_passwords() -> None:
    assert check_strength("violin-fence-82", "li", "Li") == []


def test_one_time_passwords_can_be_read_out_and_are_strong() -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert set(password) <= set(READABLE) | {"-"}
        assert [len(group) for group in password.split("-")] == [4, 4, 4]
        assert messages(password) == []


def test_the_bundled_list_is_normalised() -> None:
    assert len(common_passwords()) > 150
    assert all(one == one.lower().strip() for one in common_passwords())
