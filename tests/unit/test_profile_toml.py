"""What tenant.toml gives when it is right, and how faults come together (each kind: test_profile_faults)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xiangyue.i18n import in_locale
from xiangyue.tenancy.profile import ProfileErrors, ProfileProblem, load_profile, load_profiles, problem_at

GOOD = """\
slug = "hanyin"
name = "汉阴县"
name_en = "Hanyin County"
area_code = "610921"
"""
NEXT = GOOD.count("\n") + 1  # line of what is appended to GOOD


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with in_locale("en"):
        yield


def faults(folder: Path, text: str, **known: Any) -> list[tuple[int, str, str, str]]:
    """Line, path, message and suggestion of all problems, which must lie in tenant.toml."""
    (folder / "tenant.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProfileErrors) as caught:
        load_profile(folder, **known)
    assert {problem.file for problem in caught.value.problems} == {str(folder / "tenant.toml")}
    return [(p.line, p.path, p.message, p.suggestion) for p in caught.value.problems]


def test_smallest_profile(tmp_path: Path) -> None:
    (tmp_path / "tenant.toml").write_text(GOOD, encoding="utf-8")
    profile = load_profile(tmp_path)
    assert (profile.slug, profile.name, profile.province, profile.city) == (
        "hanyin",
        "汉阴县",
        "陕西省",
        "安康市",
    )
    assert (profile.code15, [row.code15 for row in profile.divisions]) == (610921000000000, [610921000000000])
    assert (profile.locale, profile.hosts, profile.roles, profile.plugins) == ("zh", (), (), ())
    assert profile.settings.allow_synthetic_people is False


def test_everything_is_read(tmp_path: Path) -> None:
    text = GOOD + (
        'hosts = ["xy.hanyin.gov.cn"]\nlocale = "en"\n'
        '[settings]\nallow_synthetic_people = true\nrequire_totp_roles = ["town"]\nsession_hours = 8\n'
        "[plugins.zeta]\n[plugins.alpha]\nenabled = false\n[plugins.alpha.settings]\nyear = 2024\n"
        '[roles.town]\ntemplate = "town"\n'
        '[roles.reader]\nname_zh = "查询员"\nname_en = "Reader"\npermissions = ["household.view"]\n'
        '[[custom_fields]]\nentity = "household"\nkey = "well"\ntype = "choice"\nlabel_zh = "饮水"\n'
        'label_en = "Water"\n'
        'required = true\noptions = [{ key = "tap", label_zh = "自来水", label_en = "Tap" }]\n'
        'help_zh = "现状"\n'
        '[[marks]]\nkey = "veteran"\nname_zh = "退役军人"\nname_en = "Veteran"\nsensitivity = "sensitive"\n'
        'follows_to_household = false\nsource = "退役军人事务局"\n'
        '[[awards]]\nkey = "clean"\nname_zh = "干净人家"\nname_en = "Clean"\n'
    )
    (tmp_path / "tenant.toml").write_text("\ufeff" + text, encoding="utf-8")
    profile = load_profile(
        tmp_path,
        known_permissions={"household.view"},
        known_templates={"town"},
        known_plugins={"alpha", "zeta"},
        base_domain="localhost",
    )
    assert (profile.hosts, profile.locale) == (("xy.hanyin.gov.cn",), "en")
    assert (profile.settings.require_totp_roles, profile.settings.session_hours) == (("town",), 8)
    assert [(p.name, p.enabled, dict(p.settings)) for p in profile.plugins] == [
        ("zeta", True, {}),
        ("alpha", False, {"year": 2024}),
    ]
    assert [(r.key, r.template, r.permissions, r.name_zh) for r in profile.roles] == [
        ("town", "town", (), ""),
        ("reader", None, ("household.view",), "查询员"),
    ]
    (field,) = profile.custom_fields
    assert (field.key, field.type, field.required, field.help_zh, field.help_en) == (
        "well",
        "choice",
        True,
        "现状",
        "",
    )
    assert [(o.key, o.label_zh, o.label_en) for o in field.options] == [("tap", "自来水", "Tap")]
    (mark,) = profile.marks
    assert (mark.key, mark.sensitivity, mark.follows_to_household, mark.source) == (
        "veteran",
        "sensitive",
        False,
        "退役军人事务局",
    )
    assert [(a.key, a.subject, a.period) for a in profile.awards] == [("clean", "household", "year")]


def test_default_marks_and_awards(tmp_path: Path) -> None:
    (tmp_path / "tenant.toml").write_text(GOOD, encoding="utf-8")
    profile = load_profile(tmp_path)
    assert [mark.key for mark in profile.marks] == [
        "left_behind_child",
        "left_behind_woman",
        "left_behind_elder",
        "living_alone_elder",
        "disabled",
        "out_of_poverty",
        "monitored",
        "low_income",
        "five_guarantee",
        "veteran",
        "party_member",
        "deputy",
        "lead_head",
    ]
    assert {m.key for m in profile.marks if m.sensitivity == "sensitive"} == {"left_behind_child", "disabled"}
    assert [award.key for award in profile.awards] == ["safe_family"]


def test_an_empty_list_of_marks_means_none(tmp_path: Path) -> None:
    (tmp_path / "tenant.toml").write_text(GOOD + "marks = []\nawards = []\n", encoding="utf-8")
    profile = load_profile(tmp_path)
    assert (profile.marks, profile.awards) == ((), ())


def test_all_faults_at_once(tmp_path: Path) -> None:
    text = (
        'slug = "api"\n\nname_en = ""\narea_code = "61092"\n[settings]\nsession = 3\n'
        '[[marks]]\nkey = "a b"\nname_zh = "甲"\nname_en = "A"\n[roles.town]\ntemplate = "tawn"\n'
    )
    found = faults(tmp_path, text, known_templates=["town"])
    assert [(line, path) for line, path, _message, _suggestion in found] == [
        (1, "name"),
        (1, "slug"),
        (3, "name_en"),
        (4, "area_code"),
        (6, "settings.session"),
        (8, "marks[0].key"),
        (12, "roles.town.template"),
    ]


EVERYTHING = GOOD + (
    "hosts = []\nsettings = {}\nplugins = {}\nroles = {}\ncustom_fields = []\nmarks = []\nawards = []\n"
)


@pytest.mark.parametrize(
    "odd", ["1", "1.5", "true", '""', '"x"', "[]", "[1]", "[[]]", "[{}]", "{}", "{a = 1}", "{a = {}}"]
)
def test_values_of_any_shape_are_judged(tmp_path: Path, odd: str) -> None:
    lines = EVERYTHING.splitlines()
    for index, line in enumerate(lines):
        key = line.split(" = ")[0]
        text = "\n".join([*lines[:index], f"{key} = {odd}", *lines[index + 1 :]])
        (tmp_path / "tenant.toml").write_text(text, encoding="utf-8")
        places = {(p.line, re.split(r"[.\[]", p.path)[0]) for p in _problems(tmp_path)}
        assert places <= {(index + 1, key)}


def _problems(folder: Path) -> list[ProfileProblem]:
    try:
        load_profile(folder, known_permissions=[], known_templates=[], known_plugins=["a"])
    except ProfileErrors as error:
        return error.problems
    return []


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 5000])
def test_toml_that_breaks_the_parser(tmp_path: Path, value: str) -> None:
    ((_line, path, message, _suggestion),) = faults(tmp_path, f"{GOOD}hosts = {value}\n")
    assert path == ""
    assert message.startswith("not valid TOML: ")


def test_str_lists_file_line_path_and_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("tenants/hanyin")
    folder.mkdir(parents=True)
    (folder / "tenant.toml").write_text(GOOD + 'local = "zh"\nlocale = "xx"\n', encoding="utf-8")
    with pytest.raises(ProfileErrors) as caught:
        load_profile(folder)
    assert str(caught.value) == (
        "tenants/hanyin/tenant.toml:5: local: is not a known key (did you mean 'locale'?)\n"
        "tenants/hanyin/tenant.toml:6: locale: 'xx' is not known here (use one of: zh, en)"
    )


def test_names_are_unchecked_without_lists(tmp_path: Path) -> None:
    text = (
        GOOD + '[plugins.any]\n[roles.r]\nname_zh = "查"\nname_en = "R"\npermissions = ["x.y"]\n'
        '[roles.t]\ntemplate = "t"\n'
    )
    (tmp_path / "tenant.toml").write_text(text, encoding="utf-8")
    assert [role.key for role in load_profile(tmp_path).roles] == ["r", "t"]


def test_missing_folder_and_file(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ProfileErrors) as caught:
            load_profile(folder)
        assert caught.value.problems == [ProfileProblem(str(folder / "tenant.toml"), 0, "", "the file is missing")]
        assert str(caught.value) == f"{folder / 'tenant.toml'}: the file is missing"


def test_misnamed_file(tmp_path: Path) -> None:
    (tmp_path / "tenant.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "division.csv").write_text("code,level,name,parent_code\n", encoding="utf-8")
    with pytest.raises(ProfileErrors) as caught:
        load_profile(tmp_path)
    assert caught.value.problems == [
        ProfileProblem(
            str(tmp_path / "division.csv"),
            0,
            "",
            "the file is not read under this name",
            "did you mean 'divisions.csv'?",
        )
    ]


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("gb18030", "the file is GB18030 (GBK), expected UTF-8"),
        ("utf-16", "the file is UTF-16, expected UTF-8"),
    ],
)
def test_wrong_encoding(tmp_path: Path, encoding: str, message: str) -> None:
    (tmp_path / "tenant.toml").write_bytes(GOOD.encode(encoding))
    with pytest.raises(ProfileErrors) as caught:
        load_profile(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.message) == (2 if encoding == "gb18030" else 1, message)
    assert problem.suggestion == "save it as UTF-8; in Excel or WPS choose the type 'CSV UTF-8'"


def test_two_profiles_may_not_share_slug_or_host(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tenant.toml").write_text(GOOD + 'hosts = ["xy.gov.cn"]\n', encoding="utf-8")
    with pytest.raises(ProfileErrors) as caught:
        load_profiles(tmp_path)
    first, second = (str(tmp_path / name / "tenant.toml") for name in ("a", "b"))
    assert caught.value.problems == [
        ProfileProblem(second, 1, "slug", f"'hanyin' is taken by {first}"),
        ProfileProblem(second, 5, "hosts[0]", f"'xy.gov.cn' is taken by {first}"),
    ]


def test_faults_of_all_profiles_come_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tenant.toml").write_text(GOOD.replace("hanyin", "www"), encoding="utf-8")
    with pytest.raises(ProfileErrors) as caught:
        load_profiles(tmp_path)
    assert [problem.file for problem in caught.value.problems] == [
        str(tmp_path / name / "tenant.toml") for name in ("a", "b")
    ]


def test_a_later_fault_finds_its_line(tmp_path: Path) -> None:
    text = GOOD + "[plugins.points]\n[plugins.points.settings]\nyear = 2024\n"
    (tmp_path / "tenant.toml").write_text(text, encoding="utf-8")
    profile = load_profile(tmp_path)
    assert problem_at(profile, "plugins.points.settings.year", "too old").line == NEXT + 2
    assert problem_at(profile, "plugins.points.settings.rate", "is missing").line == NEXT + 1
    assert problem_at(profile, "elsewhere", "is missing").line == 1
