"""divisions.csv and groups.csv: each fault with line, column, message and suggestion; names and kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xiangyue.i18n import in_locale
from xiangyue.tenancy.division_names import county_english, county_pinyin, town_short, village_display
from xiangyue.tenancy.profile import DivisionRow, Profile, ProfileErrors, load_profile

TOML = 'slug = "hanyin"\nname = "汉阴县"\nname_en = "Hanyin County"\narea_code = "610921"\n'
ROWS = """\
code,level,name,parent_code
610000000000,1,陕西省,
610900000000,2,安康市,610000000000
610921000000,3,汉阴县,610900000000
610921107000,4,漩涡镇,610921000000
610921107001,5,中银社区居委会,610921107000
610921107201,5,上七村村委会,610921107000
"""
NEXT = 8  # line of what is appended to ROWS


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with in_locale("en"):
        yield


def load(folder: Path, divisions: bytes | str, groups: str | None = None) -> Profile:
    (folder / "tenant.toml").write_text(TOML, encoding="utf-8")
    raw = divisions.encode() if isinstance(divisions, str) else divisions
    (folder / "divisions.csv").write_bytes(raw)
    if groups is not None:
        (folder / "groups.csv").write_text(groups, encoding="utf-8")
    return load_profile(folder)


def faults(folder: Path, divisions: bytes | str, groups: str | None = None) -> list[tuple[int, str, str, str]]:
    with pytest.raises(ProfileErrors) as caught:
        load(folder, divisions, groups)
    file = folder / ("divisions.csv" if groups is None else "groups.csv")
    assert {problem.file for problem in caught.value.problems} == {str(file)}
    return [(p.line, p.path, p.message, p.suggestion) for p in caught.value.problems]


def test_rows(tmp_path: Path) -> None:
    county, town = 610921000000000, 610921107000000
    assert load(tmp_path, ROWS).divisions == (
        DivisionRow(county, "county", "county", "汉阴县", "汉阴县", "汉阴", None),
        DivisionRow(town, "town", "town", "漩涡镇", "漩涡镇", "漩涡", county),
        DivisionRow(610921107001000, "village", "community", "中银社区居委会", "中银社区", "中银社区", town),
        DivisionRow(610921107201000, "village", "village_committee", "上七村村委会", "上七村", "上七村", town),
    )


def test_former_names_are_a_column_that_may_be_there(tmp_path: Path) -> None:
    lines = ROWS.splitlines()
    named = [f"{lines[0]},former_names", *(f"{line}," for line in lines[1:-1]), f"{lines[-1]},老村、上村;老村"]
    rows = load(tmp_path, "\n".join(named)).divisions
    assert [row.former_names for row in rows] == [(), (), (), ("老村", "上村")]
    named[-1] = f"{lines[-1]},{'长' * 61}"
    assert faults(tmp_path, "\n".join(named)) == [(7, "former_names", "must be names of at most 60 characters", "")]


@pytest.mark.parametrize("encode", [lambda t: t.encode("utf-8-sig"), lambda t: t.replace("\n", "\r\n").encode()])
def test_byte_order_mark_and_windows_line_ends(tmp_path: Path, encode: object) -> None:
    assert callable(encode)
    assert load(tmp_path, encode(ROWS)).divisions == load(tmp_path, ROWS).divisions


def test_order_of_rows_and_columns_is_free(tmp_path: Path) -> None:
    header, *rows = (line.split(",") for line in ROWS.splitlines())
    turned = [[*row[::-1], "more"] for row in (header, *rows[::-1])]
    text = "\n\n".join(",".join(row) for row in turned)
    assert load(tmp_path, text).divisions == load(tmp_path, ROWS).divisions


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("610921001000", "subdistrict"),
        ("610921199000", "town"),
        ("610921200000", "township"),
        ("610921399000", "township"),
        ("610921400000", "other"),
        ("610921599000", "other"),
    ],
)
def test_kinds_of_towns(tmp_path: Path, code: str, kind: str) -> None:
    profile = load(tmp_path, f"{ROWS}{code},4,某某,610921000000\n")
    assert [row.kind for row in profile.towns if row.code15 == int(code) * 1000] == [kind]


@pytest.mark.parametrize(
    ("number", "kind", "shown"),
    [
        ("199", "community", "草桥社区"),
        ("200", "village_committee", "草桥居委会"),
        ("399", "village_committee", "草桥居委会"),
        ("400", "other", "草桥社区"),
        ("599", "other", "草桥居委会"),
    ],
)
def test_kinds_of_villages(tmp_path: Path, number: str, kind: str, shown: str) -> None:
    profile = load(tmp_path, f"{ROWS}610921107{number},5,草桥居委会,610921107000\n")
    row = next(row for row in profile.villages if row.code15 == int(f"610921107{number}000"))
    assert (row.kind, row.display_name) == (kind, shown)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("61092110720,5,某村,610921107000", ("code", "'61092110720' is not a code of 12 digits", "")),
        (
            "610921108,4,汉阳镇,610921000000",
            ("code", "'610921108' is not a code of 12 digits", "did you mean '610921108000'?"),
        ),
        (
            "6.10921E+11,4,汉阳镇,610921000000",
            (
                "code",
                "'6.10921E+11' is not a code of 12 digits",
                "a spreadsheet has rounded it: format the column as text and copy the codes again",
            ),
        ),
        (
            "610921108000,6,汉阳镇,610921000000",
            ("level", "'6' is not a level", "1 province, 2 prefecture, 3 county, 4 town, 5 village"),
        ),
        (
            "610921108000,5,汉阳镇,610921000000",
            ("level", "610921108000 is not a code of level 5", "by its zeros it is level 4"),
        ),
        (
            "610921107202,4,某村,610921107000",
            ("level", "610921107202 is not a code of level 4", "by its zeros it is level 5"),
        ),
        (
            "610921600000,4,汉阳镇,610921000000",
            ("code", "610921600000: no kind of town has the number 600", "numbers go from 001 to 599"),
        ),
        (
            "610921107600,5,某村,610921107000",
            ("code", "610921107600: no kind of village has the number 600", "numbers go from 001 to 599"),
        ),
        (
            "610922107000,4,石泉镇,610922000000",
            ("code", "610922107000 does not belong to the county 610921", ""),
        ),
        (
            "620000000000,1,甘肃省,",
            ("code", "620000000000 does not belong to the county 610921", ""),
        ),
        (
            "610921107202,5,某村,610921108000",
            (
                "parent_code",
                "'610921108000' cannot be the parent of 610921107202",
                "its code says 610921107000",
            ),
        ),
        (
            "610921107202,5,某村,",
            ("parent_code", "'' cannot be the parent of 610921107202", "its code says 610921107000"),
        ),
        (
            "610921108201,5,某村,610921108000",
            ("parent_code", "no row for 610921108000, the parent of 610921108201", ""),
        ),
        (
            "610921107201,5,再次村,610921107000",
            ("code", "610921107201 stands already on line 7", ""),
        ),
        ("610921107202,5,,610921107000", ("name", "is missing", "")),
        (
            f"610921107202,5,{'村' * 61},610921107000",
            ("name", "must be one line of at most 60 characters", ""),
        ),
        ("610921107202,5,某村", ("", "3 cells, but 4 columns", "")),
    ],
)
def test_one_fault(tmp_path: Path, row: str, expected: tuple[str, str, str]) -> None:
    assert faults(tmp_path, f"{ROWS}{row}\n") == [(NEXT, *expected)]


def test_all_faults_of_both_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "tenant.toml").write_text(TOML.replace('"汉阴县"', '""'), encoding="utf-8")
    text = ROWS.replace("漩涡镇", "").replace("610900000000,2", "610900000000,9")
    (tmp_path / "divisions.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ProfileErrors) as caught:
        load_profile(tmp_path)
    assert [(Path(p.file).name, p.line, p.path) for p in caught.value.problems] == [
        ("divisions.csv", 3, "level"),
        ("divisions.csv", 5, "name"),
        ("tenant.toml", 2, "name"),
    ]


def test_a_province_has_no_parent(tmp_path: Path) -> None:
    text = ROWS.replace("陕西省,", "陕西省,100000000000")
    assert faults(tmp_path, text) == [(2, "parent_code", "a province has no parent here", "leave it empty")]


def test_without_the_county(tmp_path: Path) -> None:
    text = "".join(line for line in ROWS.splitlines(keepends=True) if "汉阴县" not in line)
    assert faults(tmp_path, text) == [
        (0, "level", "no row of level 3, the county itself", ""),
        (4, "parent_code", "no row for 610921000000, the parent of 610921107000", ""),
    ]


def test_columns(tmp_path: Path) -> None:
    text = ROWS.replace("parent_code", "parent_cod").replace("level", "rank")
    assert faults(tmp_path, text) == [
        (1, "level", "the column is missing", ""),
        (1, "parent_code", "the column is missing", "did you mean 'parent_cod'?"),
    ]


def test_empty_file(tmp_path: Path) -> None:
    hint = "the first line names the columns: code,level,name,parent_code"
    assert faults(tmp_path, "\n") == [(0, "", "the file is empty", hint)]


def test_not_csv(tmp_path: Path) -> None:
    message = "not valid CSV: ',' expected after '\"'"
    assert faults(tmp_path, f'{ROWS}"610921107202"x,5,某村,610921107000\n') == [(NEXT, "", message, "")]


def test_gb18030(tmp_path: Path) -> None:
    assert faults(tmp_path, ROWS.encode("gb18030")) == [
        (
            2,
            "",
            "the file is GB18030 (GBK), expected UTF-8",
            "save it as UTF-8; in Excel or WPS choose the type 'CSV UTF-8'",
        )
    ]


def test_a_county_newer_than_the_register_brings_its_own_row(tmp_path: Path) -> None:
    toml = TOML.replace("610921", "610999")
    (tmp_path / "tenant.toml").write_text(toml, encoding="utf-8")
    rows = ROWS.replace("610921", "610999").replace("汉阴县", "新设县")
    (tmp_path / "divisions.csv").write_text(rows, encoding="utf-8")
    profile = load_profile(tmp_path)
    assert (profile.county.name, profile.province, len(profile.villages)) == ("新设县", "", 2)


def test_groups(tmp_path: Path) -> None:
    village = 610921107201000
    profile = load(tmp_path, ROWS, "code,name\n610921107201002,二组\n610921107201001,一组\n")
    assert profile.groups == (
        DivisionRow(village + 1, "group", "villager_group", "一组", "一组", "一组", village),
        DivisionRow(village + 2, "group", "villager_group", "二组", "二组", "二组", village),
    )
    assert [row.code15 for row in profile.divisions] == sorted(row.code15 for row in profile.divisions)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("610921107201,一组", ("code", "'610921107201' is not a code of 15 digits", "")),
        ("610921107201000,一组", ("code", "'610921107201000' ends in 000, which is the village itself", "")),
        (
            "610921107203001,一组",
            ("code", "no village 610921107203 in divisions.csv", "did you mean '610921107201'?"),
        ),
        ("610921107201001,又一组", ("code", "610921107201001 stands already on line 2", "")),
        ("610921107201002,", ("name", "is missing", "")),
    ],
)
def test_a_fault_in_groups(tmp_path: Path, row: str, expected: tuple[str, str, str]) -> None:
    assert faults(tmp_path, ROWS, f"code,name\n610921107201001,一组\n{row}\n") == [(3, *expected)]


@pytest.mark.parametrize(
    ("name", "community", "shown"),
    [
        ("上七村村民委员会", False, "上七村"),
        ("上七村民委员会", False, "上七村"),
        ("上七村委会", False, "上七村"),
        ("新铺村", False, "新铺村"),
        ("华一水库类似村", False, "华一水库类似村"),
        ("新华牛场虚拟生活区", False, "新华牛场虚拟生活区"),
        ("南街社区居民委员会", True, "南街社区"),
        ("南街社区", True, "南街社区"),
        ("瞻榆居委会", True, "瞻榆社区"),
    ],
)
def test_shown_names_of_villages(name: str, community: bool, shown: str) -> None:
    assert village_display(name, community=community) == shown


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("漩涡镇", "漩涡"),
        ("郑家屯街道", "郑家屯"),
        ("向海蒙古族乡", "向海"),
        ("城镇", "城镇"),
        ("三家子种牛场", "三家子种牛场"),
    ],
)
def test_short_names_of_towns(name: str, short: str) -> None:
    assert town_short(name) == short


@pytest.mark.parametrize(
    ("name", "pinyin", "english"),
    [
        ("汉阴县", "hanyin", "Hanyin County"),
        ("长白朝鲜族自治县", "changbai", "Changbai Autonomous County"),
        ("单县", "shanxian", "Shanxian County"),
        ("洪洞县", "hongtong", "Hongtong County"),
        ("迁安市", "qianan", "Qian'an City"),
        ("绿春县", "lvchun", "Lüchun County"),
        ("鄂温克族自治旗", "ewenkezu", "Ewenkezu Autonomous Banner"),
        ("西沙群岛", "xishaqundao", "Xishaqundao"),
    ],
)
def test_pinyin_and_english_of_counties(name: str, pinyin: str, english: str) -> None:
    assert (county_pinyin(name), county_english(name)) == (pinyin, english)
