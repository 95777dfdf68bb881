"""Faults in tenant.toml, one of each kind: line, key path, message and suggestion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xiangyue.i18n import in_locale
from xiangyue.tenancy.profile import ProfileErrors, load_profile

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


KEY_HELP = "is not a key: up to 40 small letters, digits, '_', a letter first"
ROLE = '[roles.reader]\nname_zh = "查"\nname_en = "R"\n'
FIELD = '[[custom_fields]]\nentity = "household"\nkey = "well"\nlabel_zh = "井"\nlabel_en = "Well"\n'
MARK = '[[marks]]\nkey = "veteran"\nname_zh = "退役军人"\nname_en = "Veteran"\n'


@pytest.mark.parametrize(
    ("appended", "expected"),
    [
        ('local = "zh"', (NEXT, "local", "is not a known key", "did you mean 'locale'?")),
        ("zzzzzz = 1", (NEXT, "zzzzzz", "is not a known key", "")),
        ('locale = "cn"', (NEXT, "locale", "'cn' is not known here", "use one of: zh, en")),
        ("locale = 1", (NEXT, "locale", "must be text in quotes", "use one of: zh, en")),
        ('hosts = "a.cn"', (NEXT, "hosts", "must be a list: [ … ]", "")),
        (
            '[settings]\nallow_synthetic_people = "yes"',
            (
                NEXT + 1,
                "settings.allow_synthetic_people",
                "must be true or false",
                "did you mean true without quotes?",
            ),
        ),
        (
            "[settings]\nallow_synthetic_peple = true",
            (
                NEXT + 1,
                "settings.allow_synthetic_peple",
                "is not a known key",
                "did you mean 'allow_synthetic_people'?",
            ),
        ),
        (
            "[settings]\nsession_hours = 0",
            (NEXT + 1, "settings.session_hours", "must be a whole number from 1 to 168", ""),
        ),
        ("settings = 3", (NEXT, "settings", "must be a table", "")),
        ("roles = 3", (NEXT, "roles", "must be a table: [roles.NAME]", "")),
        ("[roles]\nreader = 3", (NEXT + 1, "roles.reader", "must be a table", "")),
        (
            '[roles.Grid-Leader]\ntemplate = "town"',
            (NEXT, "roles.Grid-Leader", f"'Grid-Leader' {KEY_HELP}", "did you mean 'grid_leader'?"),
        ),
        (ROLE.rstrip(), (NEXT, "roles.reader", "a role needs permissions or a template", "")),
        (
            '[roles.reader]\nname_en = "R"\npermissions = []',
            (NEXT, "roles.reader.name_zh", "is missing", ""),
        ),
        (
            ROLE + 'permissions = ["household.view"]\ntemplate = "town"',
            (
                NEXT + 3,
                "roles.reader.permissions",
                "a role has either permissions or a template",
                "leave one out",
            ),
        ),
        (
            ROLE + 'permissions = [\n  "household.view",\n  "household.vew",\n]',
            (
                NEXT + 5,
                "roles.reader.permissions[1]",
                "no permission 'household.vew'",
                "did you mean 'household.view'?",
            ),
        ),
        (
            ROLE + 'permissions = ["household.view", "household.view"]',
            (NEXT + 3, "roles.reader.permissions[1]", "'household.view' stands here twice", ""),
        ),
        (
            '[roles.town]\ntemplate = "twon"',
            (NEXT + 1, "roles.town.template", "no role template 'twon'", "did you mean 'town'?"),
        ),
        (
            '[settings]\nrequire_totp_roles = ["auditr"]',
            (
                NEXT + 1,
                "settings.require_totp_roles[0]",
                "this county has no role 'auditr'",
                "did you mean 'auditor'?",
            ),
        ),
        (
            '[settings]\nrequire_totp_roles = ["auditor"]\n[roles.town]\ntemplate = "town"',
            (NEXT + 1, "settings.require_totp_roles[0]", "this county has no role 'auditor'", ""),
        ),
        (
            "[plugins.contact231]",
            (
                NEXT,
                "plugins.contact231",
                "no plugin 'contact231' is installed here",
                "did you mean 'contact321'?",
            ),
        ),
        (
            "[plugins.contact321]\nenable = true",
            (NEXT + 1, "plugins.contact321.enable", "is not a known key", "did you mean 'enabled'?"),
        ),
        (
            "[plugins.contact321]\nsettings = 1",
            (NEXT + 1, "plugins.contact321.settings", "must be a table", ""),
        ),
        (FIELD.rstrip(), (NEXT, "custom_fields[0].type", "is missing", "")),
        (
            FIELD + 'type = "string"',
            (
                NEXT + 5,
                "custom_fields[0].type",
                "'string' is not known here",
                "use one of: text, integer, decimal, date, boolean, choice",
            ),
        ),
        (
            FIELD + 'type = "choise"',
            (NEXT + 5, "custom_fields[0].type", "'choise' is not known here", "did you mean 'choice'?"),
        ),
        (FIELD + 'type = "choice"', (NEXT, "custom_fields[0].options", "a choice needs options", "")),
        (
            FIELD + 'type = "text"\noptions = [{ key = "a", label_zh = "甲", label_en = "A" }]',
            (
                NEXT + 6,
                "custom_fields[0].options",
                "only a choice has options",
                'set type = "choice" or leave them out',
            ),
        ),
        (
            FIELD + 'type = "choice"\noptions = [\n  { key = "a", label_zh = "甲" },\n]',
            (NEXT + 7, "custom_fields[0].options[0].label_en", "is missing", ""),
        ),
        (
            FIELD
            + 'type = "choice"\noptions = [\n  { key = "a", label_zh = "甲", label_en = "A" },\n'
            + '  { key = "a", label_zh = "乙", label_en = "B" },\n]',
            (NEXT + 8, "custom_fields[0].options[1].key", "'a' stands here twice", ""),
        ),
        (
            FIELD + 'type = "text"\n' + FIELD + 'type = "date"',
            (NEXT + 8, "custom_fields[1].key", "'well' stands here twice", ""),
        ),
        (MARK + MARK.rstrip(), (NEXT + 5, "marks[1].key", "'veteran' stands here twice", "")),
        (
            MARK + 'sensitivity = "secret"',
            (NEXT + 4, "marks[0].sensitivity", "'secret' is not known here", "use one of: normal, sensitive"),
        ),
        (
            '[[awards]]\nkey = "Clean"\nname_zh = "净"\nname_en = "C"',
            (NEXT + 1, "awards[0].key", f"'Clean' {KEY_HELP}", "did you mean 'clean'?"),
        ),
        (
            'hosts = ["https://XY.hanyin.gov.cn:8000/"]',
            (
                NEXT,
                "hosts[0]",
                "'https://XY.hanyin.gov.cn:8000/' is not a host name",
                "did you mean 'xy.hanyin.gov.cn'?",
            ),
        ),
        (
            'hosts = ["10.0.0.1"]',
            (
                NEXT,
                "hosts[0]",
                "'10.0.0.1' is not a host name",
                "write a full domain in small letters, without scheme, port or path",
            ),
        ),
        (
            'hosts = [\n  "xy.gov.cn",\n  "tongyu.example.org",\n]',
            (
                NEXT + 2,
                "hosts[1]",
                "'tongyu.example.org' lies under the base domain 'example.org'",
                "list only domains of the county's own",
            ),
        ),
        (
            'hosts = ["hanyin.example.org"]',
            (NEXT, "hosts[0]", "'hanyin.example.org' is the county's address already", "leave it out"),
        ),
        ('hosts = ["xy.gov.cn", "xy.gov.cn"]', (NEXT, "hosts[1]", "'xy.gov.cn' stands here twice", "")),
        (
            "locale = zh",
            (NEXT, "", "not valid TOML: Invalid value", ""),
        ),
        ('locale = "zh', (NEXT, "", "not valid TOML: Illegal character '\\n'", "")),
        ('slug = "again"', (NEXT, "", "not valid TOML: Cannot overwrite a value", "")),
    ],
)
def test_one_fault(tmp_path: Path, appended: str, expected: tuple[int, str, str, str]) -> None:
    found = faults(
        tmp_path,
        f"{GOOD}{appended}\n",
        known_permissions={"household.view", "household.edit"},
        known_templates={"town", "auditor"},
        known_plugins={"contact321", "moralbank"},
        base_domain="example.org",
    )
    assert found == [expected]


@pytest.mark.parametrize(
    ("line", "old", "new", "expected"),
    [
        (
            1,
            "slug",
            'slug = "www"',
            ("'www' is reserved for the deployment itself", "use the county's name in pinyin"),
        ),
        (
            1,
            "slug",
            'slug = "Han_Yin"',
            (
                "'Han_Yin' is not a host label: a letter, then up to 62 small letters, digits or single hyphens",
                "did you mean 'han-yin'?",
            ),
        ),
        (1, "slug", 'slug = ""', ("must not be empty", "")),
        (2, "name", 'name = " 汉阴"', ("must be one line without blanks around it", "")),
        (2, "name", f'name = "{"汉" * 61}"', ("has 61 characters, at most 60 fit", "")),
        (3, "name_en", "name_en = true", ("must be text in quotes", "")),
        (4, "area_code", "area_code = 610921", ("must be text in quotes", 'write "610921"')),
        (
            4,
            "area_code",
            'area_code = "610921000000"',
            ("'610921000000' is not a county's code of six digits", "did you mean '610921'?"),
        ),
        (
            4,
            "area_code",
            'area_code = "610999"',
            (
                "no county has the code 610999",
                "add its divisions.csv if it is newer than the register of 2023-06-30",
            ),
        ),
    ],
)
def test_a_faulty_name(tmp_path: Path, line: int, old: str, new: str, expected: tuple[str, str]) -> None:
    lines = GOOD.splitlines()
    lines[line - 1] = new
    assert faults(tmp_path, "\n".join(lines)) == [(line, old, *expected)]
