"""Files whose form is the trouble: their format, their sheets, what stands above and between the rows."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from tests.corpus.case import HEAD, HEADER, OTHER, PLAIN, WIFE, Case, changed
from tests.corpus.formats import compound, html, ods, text, xls, xlsx

_TITLE = ["漩涡镇2025年农户花名册"]
_UNIT = ["填报单位：漩涡镇人民政府", "", "", "填表日期：2025年9月1日"]


def _repacked(data: bytes, part: str, change: Any) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return stream.getvalue()


def _hide(sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True


def _fail(sheet: Any) -> None:
    for place, value in (("G2", "#N/A"), ("B4", "#REF!")):
        sheet[place].value = value
        sheet[place].data_type = "e"


def _two_header_rows(sheet: Any) -> None:
    for column in "ABC":
        sheet.merge_cells(f"{column}2:{column}3")
    sheet.merge_cells("D2:G2")


FILES = (
    Case("xlsx", "nothing; the plain file that the others differ from", lambda: xlsx(PLAIN)),
    Case("xls", "an old workbook of Excel 97", lambda: xls(PLAIN)),
    Case("ods", "an OpenDocument spreadsheet", lambda: ods(PLAIN)),
    Case("csv_utf8", "text with commas, UTF-8", lambda: text(PLAIN)),
    Case("csv_bom", "text as Excel writes it: UTF-8 with a mark", lambda: text(PLAIN, encoding="utf-8-sig")),
    Case("csv_gb18030", "text as a Chinese Windows writes it", lambda: text(PLAIN, encoding="gb18030")),
    Case("csv_semicolon", "semicolons between the cells", lambda: text(PLAIN, separator=";")),
    Case("txt_tab", "tabs between the cells, as copied from a sheet", lambda: text(PLAIN, separator="\t", end="\n")),
    Case("txt_utf16", "“Unicode text” of Excel", lambda: text(PLAIN, encoding="utf-16", separator="\t")),
    Case(
        "csv_kept_text",
        'numbers wrapped as ="…" and a comma in a quoted cell',
        lambda: text([HEADER, changed(HEAD, id_number='="610921198001011234"'), changed(WIFE, name="陈 试二 "), OTHER]),
        values=[(2, "id_number", "610921198001011234"), (3, "name", "陈试二")],
    ),
    Case(
        "csv_exponent",
        "a csv saved by Excel: citizen numbers in exponent form",
        lambda: text([HEADER, changed(HEAD, id_number="6.10921E+17"), WIFE, OTHER]),
        taken=(3, 4),
        errors=[(2, "id_number", "id_truncated", "")],
    ),
    Case("csv_broken", "neither UTF-8 nor GB 18030", lambda: text(PLAIN) + b"\xff\xff", problem="encoding"),
    Case(
        "title_rows",
        "a title merged over the table, who filled it in, a blank row",
        lambda: xlsx([_TITLE, _UNIT, [], *PLAIN], lambda sheet: sheet.merge_cells("A1:G1")),
        taken=(5, 6, 7),
    ),
    Case(
        "two_header_rows",
        "a header in two rows with cells merged over both",
        lambda: xlsx(
            [_TITLE, [*HEADER[:3], "家庭成员信息"], ["", "", "", *HEADER[3:]], HEAD, WIFE, OTHER], _two_header_rows
        ),
        taken=(4, 5, 6),
    ),
    Case(
        "several_sheets",
        "a cover and a key before the roster, a chart's numbers behind it",
        lambda: xlsx([["填表说明"], ["一人一行"]], 花名册=PLAIN, 统计=[["人数", 3]]),
        others=[("Sheet", False), ("统计", False)],
    ),
    Case(
        "two_rosters",
        "a sheet for each village",
        lambda: xlsx([HEADER, HEAD, WIFE], None, 茨沟村=[HEADER, OTHER]),
        taken=("Sheet!2", "Sheet!3", "茨沟村!2"),
    ),
    Case("hidden_xlsx", "a hidden row", lambda: xlsx(PLAIN, _hide), skipped={"hidden": 1}),
    Case("hidden_xls", "a hidden row in an old workbook", lambda: xls(PLAIN, hidden=[3, 4]), skipped={"hidden": 2}),
    Case("hidden_ods", "a row hidden by a filter", lambda: ods(PLAIN, hidden=[4]), skipped={"hidden": 1}),
    Case(
        "totals_and_blanks",
        "blank rows, subtotals, a grand total, who signed",
        lambda: xlsx(
            [HEADER, HEAD, WIFE, ["小计", "", "", "", "2人"], [], OTHER, ["", "合 计：3人"], ["审核人：张某"]],
        ),
        taken=(2, 3, 6),
        skipped={"blank": 1, "total": 2, "note": 1},
    ),
    Case(
        "header_repeated",
        "the header on every printed page",
        lambda: xlsx([HEADER, HEAD, WIFE, HEADER, OTHER]),
        taken=(2, 3, 5),
        skipped={"header": 1},
    ),
    Case(
        "error_values_xlsx",
        "formulas that failed: #N/A, #REF!",
        lambda: xlsx(PLAIN, _fail),
        taken=(3,),
        errors=[(2, "phone", "cell_error", ""), (4, "village", "cell_error", "")],
    ),
    Case(
        "error_values_xls",
        "a formula that failed in an old workbook",
        lambda: xls(PLAIN, errors={(4, 5): 0x2A}),
        taken=(2, 3),
        errors=[(4, "name", "cell_error", "")],
    ),
    Case(
        "unknown_column",
        "a column that is none of ours, one with a slip of the pen",
        lambda: xlsx([[*HEADER[:6], "联系电活", "备注"], HEAD]),
        taken=(),
        headings=[("header_unknown", "联系电活"), ("header_ignored", "备注")],
    ),
    Case(
        "missing_column",
        "no column for the village",
        lambda: xlsx([[*HEADER[:1], *HEADER[2:]]]),
        taken=(),
        headings=[("header_missing", "村")],
    ),
    Case("no_header", "rows without any heading", lambda: xlsx([HEAD, WIFE]), problem="no_header"),
    Case("empty", "a file of no bytes", lambda: b"", problem="empty_file"),
    Case("empty_sheet", "a workbook without a cell", lambda: xlsx([]), problem="no_header"),
    Case("html_xls", "a web page named .xls, as some systems export", lambda: html(PLAIN), problem="html_table"),
    Case(
        "xml_xls",
        "an XML table of Excel 2003 named .xls",
        problem="xml_table",
        data=lambda: b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
    ),
    Case(
        "password_xlsx",
        "a password on the workbook",
        problem="password_protected",
        data=lambda: compound("EncryptedPackage", bytes(5000)),
    ),
    Case("password_xls", "a password on an old workbook", lambda: xls(PLAIN, password=True), "password_protected"),
    Case(
        "password_ods",
        "a password on an OpenDocument file",
        problem="password_protected",
        data=lambda: ods(PLAIN, encrypted=True),
    ),
    Case("word", "a Word document of old", lambda: compound("WordDocument", bytes(5000)), problem="not_table"),
    Case("picture", "a picture of the list", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), problem="not_table"),
    Case("cut_off", "a download that broke off", lambda: xlsx(PLAIN)[:3000], problem="corrupt"),
    Case("cut_off_xls", "an old workbook cut off in the middle", lambda: xls(PLAIN)[:4200], problem="corrupt"),
    Case(
        "bomb_xlsx",
        "200 MB of nothing in 200 kB",
        problem="zip_bomb",
        data=lambda: _repacked(xlsx(PLAIN), "xl/styles.xml", lambda content: content + bytes(200 * 2**20)),
    ),
    Case(
        "bomb_ods",
        "one cell repeated over a million rows and a thousand columns",
        problem="too_many_rows",
        data=lambda: ods(
            PLAIN,
            tail='<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
            'table:number-columns-repeated="1000" office:value-type="string"><text:p>x</text:p>'
            "</table:table-cell></table:table-row>",
        ),
    ),
    Case(
        "blank_tail_ods",
        "a million formatted rows without content, as every such file has",
        data=lambda: ods(
            PLAIN,
            tail='<table:table-row table:number-rows-repeated="1048500"><table:table-cell '
            'table:number-columns-repeated="16384"/></table:table-row>',
        ),
    ),
)
