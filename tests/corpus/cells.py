"""Files whose cells are the trouble: what is mended without asking, and what must be told by cell."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.corpus.case import HEAD, HEADER, OTHER, PLAIN, WIFE, Case, changed
from tests.corpus.formats import text, xls, xlsx

_MORE = [*HEADER, "性别", "出生日期", "标识", "外出", "组"]


def _with(**cells: Any) -> bytes:
    """The plain file with cells of the head changed."""
    return xlsx([HEADER, changed(HEAD, **cells), WIFE, OTHER])


def _people(rows: list[list[Any]]) -> bytes:
    """Heads of households of their own, each with: name, sex, birth date, marks, away, group."""
    whole = [["漩涡镇", "上七村", f"{n:04}", "户主", name, "", "", *rest] for n, (name, *rest) in enumerate(rows, 101)]
    return xlsx([_MORE, *whole])


_BORN = ["1980.1.1", "1980/1/1", "19800101", "1980年1月1日", "１９８０－０１－０１", 29221, 19800101, "1980 1 1",
         "1980-01-01 00:00:00", "1980年1月1日生", date(1980, 1, 1)]  # fmt: skip

_COPIED = [(HEAD, "男", "1980-1-1"), (WIFE, "女", "1982-2-2")]

CELLS = (
    Case(
        "full_width",
        "full-width digits and letters",
        values=[
            (2, "id_number", "61092119800101124X"),
            (2, "phone", "15400000017"),
            (2, "household_no", "0017"),
            (2, "name", "王试一"),
        ],
        data=lambda: _with(
            id_number="６１０９２１１９８００１０１１２４Ｘ",
            phone="１５４００００００１７",
            household_no="００１７",
            name="王　试一",
        ),
    ),
    Case(
        "lower_case_x",
        "a citizen number that ends in a small x",
        lambda: _with(id_number="61092119800101124x"),
        values=[(2, "id_number", "61092119800101124X")],
    ),
    Case(
        "blanks_in_numbers",
        "blanks, hyphens and an apostrophe in numbers",
        lambda: _with(id_number="'610921 19800101 1234", phone="154-0000-0017"),
        values=[(2, "id_number", "610921198001011234"), (2, "phone", "15400000017")],
    ),
    Case(
        "id_as_number",
        "a citizen number that the spreadsheet made a number and cut after 15 digits",
        lambda: _with(id_number=610921198001011234),
        taken=(3, 4),
        errors=[(2, "id_number", "id_truncated", "")],
    ),
    Case(
        "id_as_number_xls",
        "the same in an old workbook",
        lambda: xls([HEADER, changed(HEAD, id_number=6.10921198001011e17), WIFE, OTHER]),
        taken=(3, 4),
        errors=[(2, "id_number", "id_truncated", "")],
    ),
    Case(
        "id_cut_as_text",
        "zeros where the spreadsheet cut it, as text again",
        lambda: _with(id_number="610921198001011000"),
        taken=(3, 4),
        errors=[(2, "id_number", "id_truncated", "")],
    ),
    Case(
        "id_of_15",
        "an old citizen number of 15 digits",
        lambda: _with(id_number="610921800101123"),
        values=[(2, "id_number", "61092119800101123X")],
    ),
    Case(
        "id_of_15_as_number",
        "the same as a number",
        lambda: _with(id_number=610921800101123),
        values=[(2, "id_number", "61092119800101123X")],
    ),
    Case(
        "id_cut_to_15",
        "the first 15 digits of a new number: no old one",
        lambda: _with(id_number="610921200503121"),
        taken=(3, 4),
        errors=[(2, "id_number", "id_old", "")],
    ),
    Case(
        "dates",
        "dates in ten ways, a serial and a number among them",
        lambda: _people([["王试一", "男", born, "", "", ""] for born in _BORN]),
        taken=range(2, 2 + len(_BORN)),
        values=[(row, "birth_date", date(1980, 1, 1)) for row in range(2, 2 + len(_BORN))],
    ),
    Case(
        "dates_wrong",
        "dates that nobody can tell",
        lambda: _people(
            [["王试一", "男", born, "", "", ""] for born in ("1980.1", "80.1.1", "1980-02-30", "2099-1-1")]
        ),
        taken=(),
        errors=[
            (2, "birth_date", "date_incomplete", ""),
            (3, "birth_date", "date_incomplete", ""),
            (4, "birth_date", "date_impossible", ""),
            (5, "birth_date", "date_future", ""),
        ],
    ),
    Case(
        "names",
        "blanks, dots and rare characters in names",
        lambda: _people(
            [
                [name, "女", "1980-1-1", "", "", ""]
                for name in ("王 试一", "买买提．吐尔逊", "买买提 • 吐尔逊", "䶮试", "𬱖试")
            ]
        ),
        taken=range(2, 7),
        values=[
            (2, "name", "王试一"),
            (3, "name", "买买提·吐尔逊"),
            (4, "name", "买买提·吐尔逊"),
            (5, "name", "䶮试"),
            (6, "name", "𬱖试"),
        ],
    ),
    Case(
        "names_with_remarks",
        "a remark in the cell of a name",
        lambda: _with(name="王试一(户主)"),
        taken=(3, 4),
        errors=[(2, "name", "name_format", "")],
    ),
    Case(
        "marks",
        "marks separated by 、；, and blanks",
        lambda: _people(
            [
                ["王试一", "男", "1980-1-1", marks, "", ""]
                for marks in (
                    "党员、退役军人",
                    "党员；退役军人",
                    "党员,退役军人",
                    "党员 退役军人",
                    "中共党员/退伍军人",
                    "无",
                )
            ]
        ),
        taken=range(2, 8),
        values=[*((row, "marks", ["party_member", "veteran"]) for row in range(2, 7)), (7, "marks", [])],
    ),
    Case(
        "marks_together",
        "marks separated by a full stop, a plus, an ampersand, or by nothing; two with a remark between them",
        lambda: _people(
            [
                ["王试一", "男", "1980-1-1", marks, "", ""]
                for marks in ("党员。退役军人", "党员＋退役军人", "党员 & 退役军人。", "党员退役军人", "党员是退役军人")
            ]
        ),
        taken=range(2, 6),
        errors=[(6, "marks", "mark_unknown", "")],
        values=[(row, "marks", ["party_member", "veteran"]) for row in range(2, 6)],
    ),
    Case(
        "marks_unknown",
        "a mark with a slip of the pen",
        lambda: _people([["王试一", "男", "1980-1-1", "党员、留受老人", "", ""]]),
        taken=(),
        errors=[(2, "marks", "mark_unknown", "留守老人")],
    ),
    Case(
        "yes_and_no",
        "ways to say yes and no",
        lambda: _people([["王试一", "男", "1980-1-1", "", away, ""] for away in ("是", "√", "外出务工", "否", "在家")]),
        taken=range(2, 7),
        values=[(row, "away", row < 5) for row in range(2, 7)],
    ),
    Case(
        "groups",
        "groups as number, word and whole name",
        lambda: _people(
            [["王试一", "男", "1980-1-1", "", "", group] for group in (3, "三组", "第3组", "三组村民小组")]
        ),
        taken=range(2, 6),
        values=[(row, "group_name", "三组") for row in range(2, 6)],
    ),
    Case(
        "villages",
        "villages by whole and short names, with the town's before",
        lambda: xlsx(
            [
                HEADER,
                *(
                    changed(HEAD, village=village, household_no=str(n), id_number=f"610921198001011{n}X")
                    for n, village in enumerate(("上七村村委会", "上七", "漩涡镇上七村", "汉阴县上七村"), 31)
                ),
            ]
        ),
        taken=(2, 3, 4, 5),
        values=[(row, "village_code", 610921107224000) for row in range(2, 6)],
    ),
    Case(
        "town_misspelt",
        "a town with a wrong character",
        lambda: _with(town="漩窝镇"),
        taken=(3, 4),
        errors=[(2, "town", "town_unknown", "漩涡镇")],
    ),
    Case(
        "village_ambiguous",
        "a short name that two villages share",
        lambda: xlsx([HEADER, changed(HEAD, town="蒲溪镇", village="蒲溪")]),
        taken=(),
        errors=[(2, "village", "village_ambiguous", "")],
    ),
    Case(
        "former_names",
        "villages and towns by the names they had before they were merged",
        lambda: xlsx(
            [
                HEADER,
                changed(HEAD, town="凤凰山乡"),
                changed(WIFE, town="凤凰山"),
                changed(OTHER, village="田凤"),
                changed(OTHER, village="凤凰山乡和平村", town="凤凰山乡", household_no="0022", id_number=""),
            ]
        ),
        taken=(2, 3, 4),
        errors=[(5, "sex", "required_without_id", ""), (5, "birth_date", "required_without_id", "")],
        values=[
            (2, "village_code", 610921107224000),
            (4, "village_code", 610921107211000),
            (5, "village_code", 610921107211000),
        ],
    ),
    Case(
        "former_town_divided",
        "a town that was dissolved into two others: the village tells which",
        lambda: xlsx(
            [
                HEADER,
                changed(HEAD, town="月河乡", village="东南村"),
                changed(WIFE, town="月河乡", village="东南村"),
                changed(OTHER, town="月河乡", village="蒲溪"),
            ]
        ),
        taken=(2, 3),
        errors=[(4, "village", "village_ambiguous", "")],
        values=[(2, "village_code", 610921100200000)],
    ),
    Case(
        "relations",
        "relations by other words",
        lambda: xlsx([HEADER, changed(HEAD, relation="本人"), changed(WIFE, relation="爱人"), OTHER]),
        values=[(2, "relation", "02"), (3, "relation", "10")],
    ),
    Case(
        "phones",
        "a phone with the country's number, one with its area's",
        lambda: xlsx(
            [
                HEADER,
                changed(HEAD, phone="+86 154 0000 0017"),
                changed(WIFE, phone="(0915)5212345"),
                changed(OTHER, phone="8615400000021"),
            ]
        ),
        values=[(2, "phone", "15400000017"), (3, "phone", "0915-5212345"), (4, "phone", "15400000021")],
    ),
    Case(
        "two_phones",
        "two numbers in one cell",
        lambda: _with(phone="15400000017、15400000018"),
        taken=(3, 4),
        errors=[(2, "phone", "phone_many", "")],
    ),
    Case(
        "twice_in_the_file",
        "one citizen number in two households",
        lambda: xlsx([*PLAIN[:3], changed(OTHER, id_number=HEAD[5])]),
        taken=(2, 3),
        errors=[(4, "id_number", "id_duplicate", "")],
    ),
    Case(
        "rows_copied",
        "rows of a member and of a head without citizen numbers, copied",
        lambda: xlsx(
            [
                [*HEADER, "性别", "出生日期"],
                *[[*changed(row, id_number=""), sex, born] for row, sex, born in _COPIED for _time in range(2)],
            ]
        ),
        taken=(2, 4),
        errors=[(3, "name", "row_twice", ""), (5, "name", "row_twice", "")],
    ),
    Case(
        "words_for_nothing",
        "words and strokes where there is nothing to say: as empty where a cell may be, else told",
        lambda: xlsx(
            [
                [*HEADER, "性别", "出生日期", "住址", "民族", "标识", "户年收入(元)"],
                [*HEAD[:6], "无", "//", "—", "暂无", "不详", "无、", "/"],
                [*changed(WIFE, id_number="不详", phone="-"), "女", "1982-2-2", "", "", "否", ""],
                [*changed(OTHER, id_number="无"), "不详", "1982-2-2"],
                changed(OTHER, household_no="暂无", relation="妻", name="赵试六", id_number="610921197603031222"),
            ]
        ),
        taken=(2, 3),
        errors=[(4, "sex", "no_value", ""), (5, "household_no", "no_value", "")],
        values=[
            (2, "phone", None),
            (2, "address", None),
            (2, "birth_date", date(1980, 1, 1)),
            (2, "household_income", None),
            (3, "id_number", None),
            (3, "birth_date", date(1982, 2, 2)),
            (3, "marks", []),
        ],
    ),
    Case(
        "words_for_names",
        "words of headings and sums, and for nobody, where a name belongs",
        lambda: xlsx([HEADER, changed(HEAD, name="户主"), changed(WIFE, name="小 计"), changed(OTHER, name="不详")]),
        taken=(),
        errors=[(2, "name", "name_word", ""), (3, "name", "name_word", ""), (4, "name", "no_value", "")],
    ),
    Case(
        "no_head",
        "a household whose head is missing",
        lambda: xlsx([HEADER, WIFE, OTHER]),
        taken=(3,),
        errors=[(2, "relation", "no_head", "")],
    ),
    Case(
        "csv_everything",
        "a csv of a Chinese Windows with all of it at once",
        data=lambda: text(
            [
                ["花名册"],
                [f" {name} " for name in HEADER],
                ["漩涡镇", "上七", "17", "本人", "王 试一", "'61092119800101124x", "154-0000-0017"],
                ["合计", "", "1户"],
            ],
            encoding="gb18030",
        ),
        taken=(3,),
        skipped={"total": 1},
        values=[(3, "id_number", "61092119800101124X"), (3, "household_no", "0017"), (3, "name", "王试一")],
    ),
)
