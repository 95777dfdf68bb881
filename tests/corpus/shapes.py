"""Files of another shape: several sheets, one row for each household."""

from __future__ import annotations

from typing import Any

from tests.corpus.case import HEAD, HEADER, OTHER, WIFE, Case, changed
from tests.corpus.formats import text, xlsx

_HOME = ["镇", "村", "户编号", "住址"]
_WIDE = [
    *_HOME, "户主姓名", "户主身份证号", "户主联系电话", "成员1姓名", "成员1身份证号", "成员1与户主关系", "成员2姓名",
    "成员2身份证号", "成员2与户主关系",
]  # fmt: skip
_FIRST = ["漩涡镇", "上七村", "17", "三组17号", *HEAD[4:], "陈试二", WIFE[5], "妻", "", "", ""]
_SECOND = ["漩涡镇", "茨沟村", "21", "", *OTHER[4:], "王试四", "610921200301011218", "长子", "王试五", "", "女"]


_SON = ["", "", "", "长子", "王试三", "610921200301011218", ""]


def _places(sheet: Any) -> None:
    for cells in ("A2:A5", "B2:B4", "C2:C4"):
        sheet.merge_cells(cells)


def _towns(sheet: Any) -> None:
    sheet.merge_cells("A2:A3")


def _groups(sheet: Any) -> None:
    for cells in ("E1:G1", "H1:J1", "K1:M1"):
        sheet.merge_cells(cells)


SHAPES = (
    Case(
        "sheet_for_each_village",
        "a sheet for each village, each with a header of its own, an example before and a chart behind",
        lambda: xlsx(
            [HEADER, HEAD],
            None,
            示例=[HEADER, changed(HEAD, name="王示例")],
            上七村=[["上七村"], [*reversed(HEADER)], list(reversed(WIFE))],
            茨沟村=[HEADER, OTHER, changed(OTHER, relation="妻", name="赵试六", id_number="610921197603031222")],
            统计=[["人数", 3]],
        ),
        taken=("Sheet!2", "上七村!3", "茨沟村!2", "茨沟村!3"),
        others=[("示例", True), ("统计", False)],
        values=[("上七村!3", "name", "陈试二")],
    ),
    Case(
        "error_in_second_sheet",
        "a wrong cell in the second of two sheets, and a citizen number that stands in both",
        lambda: xlsx([HEADER, HEAD], None, 茨沟村=[HEADER, changed(OTHER, phone="12", id_number=HEAD[5])]),
        taken=("Sheet!2",),
        errors=[("茨沟村!2", "phone", "phone_format", ""), ("茨沟村!2", "id_number", "id_duplicate", "")],
    ),
    Case(
        "last_years_sheet",
        "the list of last year in a sheet that says it is the old one",
        lambda: xlsx([HEADER, HEAD, WIFE], None, 旧表2023=[HEADER, OTHER]),
        taken=(2, 3),
        others=[("旧表2023", True)],
    ),
    Case(
        "members_in_columns",
        "one row for each household: the head, and the members in columns with numbers",
        lambda: xlsx([["农户台账"], _WIDE, _FIRST, _SECOND]),
        taken=(3, "3(1)", 4, "4(1)"),
        errors=[("4(2)", "sex", "required_without_id", ""), ("4(2)", "birth_date", "required_without_id", "")],
        values=[
            (3, "relation", "02"),
            (3, "address", "三组17号"),
            ("3(1)", "address", None),
            ("3(1)", "relation", "12"),
            ("3(1)", "household_no", "0017"),
            ("4(1)", "sex", 1),
        ],
    ),
    Case(
        "members_under_groups",
        "the same with 户主, 成员1, 成员2 over the columns, merged",
        lambda: xlsx(
            [
                ["", "", "", "", "户主", "", "", "成员1", "", "", "成员2", "", ""],
                [*_HOME, "姓名", "身份证号", "联系电话", *("姓名", "身份证号", "与户主关系") * 2],
                _FIRST,
            ],
            _groups,
        ),
        taken=(3, "3(1)"),
        values=[(3, "name", "王试一"), ("3(1)", "name", "陈试二"), ("3(1)", "relation", "12")],
    ),
    Case(
        "members_numbered_behind",
        "the head as the first of the numbered members, numbers behind the headings",
        lambda: text(
            [
                [*_HOME, "姓名1", "与户主关系1", "身份证号1", "姓名2", "与户主关系2", "身份证号2"],
                [*_FIRST[:4], "陈试二", "配偶", WIFE[5], "王试一", "户主", HEAD[5]],
            ],
            encoding="gb18030",
        ),
        taken=("2(1)", "2(2)"),
        values=[("2(2)", "address", "三组17号"), ("2(1)", "address", None)],
    ),
    Case(
        "members_in_one_cell",
        "all members but the head in one cell, with relation and citizen number in brackets",
        lambda: xlsx(
            [
                [*_HOME, "户主姓名", "户主身份证号", "户主电话", "家庭成员"],
                [*_FIRST[:7], f"陈试二（妻，{WIFE[5]}）、王 试七（长子，610921200301011218）"],
                [*_SECOND[:7], "赵试六 妻 610921197603031222 在外务工"],
            ]
        ),
        taken=(2, "2(1)", "2(2)", 3),
        errors=[("3(1)", "name", "name_format", "")],
        values=[("2(1)", "name", "陈试二"), ("2(2)", "name", "王试七"), ("2(2)", "sex", 1)],
    ),
    Case(
        "no_members",
        "members that are said not to be there",
        lambda: xlsx([_WIDE, [*_FIRST[:10], "无", "/", "无"]]),
        taken=(2, "2(1)"),
    ),
    Case(
        "heads_only",
        "one row for each household with its head and nobody else",
        lambda: xlsx(
            [["镇", "村", "户编号", "户主姓名", "户主身份证号"], [*HEAD[:3], *HEAD[4:6]], [*OTHER[:3], *OTHER[4:6]]]
        ),
        taken=(2, 3),
        values=[(2, "relation", "02"), (2, "id_number", HEAD[5])],
    ),
    Case(
        "two_phones_no_members",
        "a second phone with a number behind its heading: still one row for each person",
        lambda: xlsx([[*HEADER, "联系电话2"], [*HEAD, "15400000018"], [*WIFE, ""]]),
        taken=(2, 3),
        headings=[("header_ignored", "联系电话2")],
    ),
    Case(
        "places_merged",
        "town, village and household number merged over the rows of a household, the town over the next one too",
        lambda: xlsx([HEADER, HEAD, ["", "", "", *WIFE[3:]], _SON, ["", *OTHER[1:]]], _places),
        taken=(2, 3, 4, 5),
        values=[
            (3, "household_no", "0017"),
            (4, "household_no", "0017"),
            (4, "village_code", 610921107224000),
            (5, "village_code", 610921107211000),
        ],
        filled=3,
    ),
    Case(
        "places_once",
        "places in the row of the head alone; or all but the number; a total, then a row of no household",
        lambda: xlsx(
            [
                [*HEADER, "组"],
                [*HEAD, "三组"],
                ["", "", "", *WIFE[3:]],
                _SON,
                OTHER,
                [*OTHER[:2], "", "妻", "赵试六", "610921197603031222"],
                ["合计"],
                ["", "", "", "子", "李试八", "610921200303031238"],
            ]
        ),
        taken=(2, 3, 4, 5, 6),
        errors=[(8, "town", "required", ""), (8, "village", "required", ""), (8, "household_no", "required", "")],
        skipped={"total": 1},
        values=[(4, "household_no", "0017"), (4, "group_name", "三组"), (6, "household_no", "0021")],
        filled=3,
    ),
    Case(
        "a_head_without_places",
        "a head whose place is empty begins a household that nobody can place, and his members follow him",
        lambda: xlsx([HEADER, HEAD, ["", "", "", *OTHER[3:]], ["", "", "", "妻", "赵试六", "610921197603031222"]]),
        taken=(2,),
        errors=[(row, key, "required", "") for row in (3, 4) for key in ("town", "village", "household_no")],
    ),
    Case(
        "ditto",
        "ditto marks in the places",
        lambda: text([HEADER, HEAD, ["〃", "″", '"', *WIFE[3:]], ["同上", "同 上", "〃", *_SON[3:]], OTHER]),
        taken=(2, 3, 4, 5),
        values=[(3, "household_no", "0017"), (4, "village_code", 610921107224000)],
        filled=2,
    ),
    Case(
        "towns_of_a_wide_sheet",
        "a town merged over the rows of households",
        lambda: xlsx([_WIDE, _FIRST, ["", *_SECOND[1:10]]], _towns),
        taken=(2, "2(1)", 3, "3(1)"),
        values=[(3, "village_code", 610921107211000)],
        filled=1,
    ),
    Case(
        "rows_at_the_foot",
        "signatures, sums and prepared rows under the table",
        lambda: xlsx(
            [
                *[HEADER, HEAD, WIFE, OTHER],
                [*OTHER[:2], "", "", "合计", "3"],
                ["本村共2户3人"],
                ["人数", 3],
                ["村党支部书记（签字）：张三", "", "", "年 月 日"],
                ["制表：张三", "", "", "审核：李四"],
                OTHER[:2],
            ]
        ),
        skipped={"total": 3, "note": 3},
    ),
)  # fmt: skip
