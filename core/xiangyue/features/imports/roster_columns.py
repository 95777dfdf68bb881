# data: zh
"""Columns of the roster (花名册): one row for each person; the rows of a household share village and number.

A column is known by its headers in both languages and by the other headings that counties use, so a sheet
made for another purpose often reads as it is. A county's custom fields and mark kinds become columns and
choices here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from xiangyue.features.imports.roster_words import MARKS
from xiangyue.i18n import LazyText, pick
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import NATIONALITIES, RELATIONS, SEX, Code, CodeTable
from xiangyue.text.folding import without_spaces


class MarkKindLike(Protocol):
    """A kind of mark: the model's row, or `MarkKindSpec`."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...


class CustomFieldLike(Protocol):
    """A custom field: the model's row, or `CustomFieldSpec`."""

    @property
    def entity(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def help_en(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def options(self) -> Sequence[Mapping[str, str]]: ...


@dataclass(frozen=True, slots=True)
class MarkKindSpec:
    key: str
    name: str
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class CustomFieldSpec:
    """``entity``: household or person; ``type``: text, integer, decimal, date, boolean, choice; ``options``: key,
    name, name_en.
    """

    entity: str
    key: str
    type: str
    name: str
    name_en: str = ""
    help: str = ""
    help_en: str = ""
    required: bool = False
    options: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class CountyText:
    """Text that the county wrote, shown in the language of the moment."""

    zh: str
    en: str = ""

    def __str__(self) -> str:
        return pick(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    ``kind``: area, text, choice, name, id, date, phone, marks, boolean, money, year, integer, decimal.
    ``entity``: whose value it is; a household's stands in the row of its head. ``width`` in characters. ``custom``: key
    of the custom field, or "". ``offered``: a plugin's (`offered.offered_columns`).
    """

    key: str
    zh: str
    en: str
    kind: str
    entity: str = "person"
    required: bool = False
    help: LazyText | CountyText | str = ""
    example: str = ""
    example_en: str = ""
    width: int = 12
    choices: CodeTable | None = None
    aliases: tuple[str, ...] = ()
    custom: str = ""
    offered: bool = False

    @property
    def label(self) -> str:
        """Header in the current language."""
        return pick(self.zh, self.en)

    @property
    def help_text(self) -> str:
        return str(self.help)

    @property
    def example_text(self) -> str:
        return pick(self.example, self.example_en)


YES_NO = CodeTable(
    "yes_no",
    (
        Code(
            "1",
            "是",
            "yes",
            ("y", "true", "t", "√", "✓", "✔", "v", "有", "外出", "在外", "外出务工", "务工", "对"),
        ),
        Code("0", "否", "no", ("n", "false", "f", "×", "✗", "x", "无", "没有", "在家", "未外出", "不", "常住")),
    ),
)

#: Mark kinds of a county that has none of its own, as in ``tenancy/data/defaults.toml`` (a test holds both together).
DEFAULT_MARK_KINDS: tuple[MarkKindSpec, ...] = (
    MarkKindSpec("left_behind_child", "留守儿童", "Left-behind child"),
    MarkKindSpec("left_behind_woman", "留守妇女", "Left-behind woman"),
    MarkKindSpec("left_behind_elder", "留守老人", "Left-behind elder"),
    MarkKindSpec("living_alone_elder", "独居老人", "Elder living alone"),
    MarkKindSpec("disabled", "残疾人", "Person with a disability"),
    MarkKindSpec("out_of_poverty", "脱贫人口", "Lifted out of poverty"),
    MarkKindSpec("monitored", "防返贫监测对象", "Monitored against return to poverty"),
    MarkKindSpec("low_income", "低保对象", "Minimum living allowance"),
    MarkKindSpec("five_guarantee", "特困供养人员", "Extreme hardship support"),
    MarkKindSpec("veteran", "退役军人", "Veteran"),
    MarkKindSpec("party_member", "党员", "Party member"),
    MarkKindSpec("deputy", "人大代表", "People's congress deputy"),
    MarkKindSpec("lead_head", "中心户长", "Lead head of household"),
)
# fmt: off
_STANDARD: tuple[Column, ...] = (
    Column("town", "镇", "Town", "area", "household", True,
           _l("Town, township or subdistrict, by its full or short name."),
           "漩涡镇", "漩涡镇", 12, None,
           ("乡镇", "镇街", "镇办", "镇乡", "镇街道", "乡", "街道", "所在镇", "township")),
    Column("village", "村", "Village", "area", "household", True,
           _l("Village or community, by its full or short name."),
           "上七村", "上七村", 14, None, ("村社区", "行政村", "社区", "村居", "村名", "所在村", "community")),
    Column("group", "组", "Group", "area", "household", False,
           _l("Villager group: a number or a name."),
           "三组", "三组", 8, None, ("村民小组", "组别", "小组", "所在组", "villager group")),
    Column("household_no", "户编号", "Household no.", "text", "household", True,
           _l("Number of the household in its village; the same for everyone who belongs to it."),
           "0017", "0017", 10, None,
           ("户号", "户编码", "家庭编号", "户主编号", "household number", "household")),
    Column("relation", "与户主关系", "Relation to head", "choice", "person", True,
           _l("Relation to the head of the household (GB/T 4761). Every household has one head."),
           "户主", "head of household", 12, RELATIONS,
           ("关系", "家庭关系", "与户主的关系", "户主关系", "relation")),
    Column("name", "姓名", "Name", "name", "person", True,
           _l("As on the identity card."),
           "王示例", "王示例", 10, None, ("人员姓名", "成员姓名", "家庭成员姓名", "full name")),
    Column("sex", "性别", "Sex", "choice", "person", False,
           _l("Filled in from the citizen number when empty."),
           "男", "male", 6, SEX, ("gender",)),
    Column("id_number", "公民身份号码", "Citizen number", "id", "person", False,
           _l("18 characters in a column of format text, otherwise the spreadsheet cuts it to 15 digits."),
           "610921198001011234", "610921198001011234", 22, None,
           ("身份证号", "身份证号码", "身份证", "身份号码", "公民身份证号码", "公民身份证号", "证件号码", "证件号",
            "id number", "identity number")),
    Column("birth_date", "出生日期", "Date of birth", "date", "person", False,
           _l("Like 1980-01-31. Filled in from the citizen number when empty."),
           "1980-01-01", "1980-01-01", 12, None,
           ("出生年月日", "出生年月", "生日", "birth date", "birthday")),
    Column("nationality", "民族", "Nationality", "choice", "person", False,
           _l("One of the 56 (GB/T 3304)."),
           "汉族", "Han", 8, NATIONALITIES, ("ethnic group", "ethnicity")),
    Column("phone", "联系电话", "Phone", "phone", "person", False,
           _l("One number: a mobile, or a fixed line with its area code."),
           "15400000017", "15400000017", 15, None,
           ("电话", "手机", "手机号", "手机号码", "联系方式", "电话号码", "mobile")),
    Column("address", "住址", "Address", "text", "household", False,
           _l("Address of the household, in the row of its head."),
           "漩涡镇上七村三组17号", "漩涡镇上七村三组17号", 28, None,
           ("家庭住址", "地址", "户籍地址", "详细地址", "居住地址")),
    Column("marks", "标识", "Marks", "marks", "person", False,
           _l("One or more, separated by commas."),
           "党员、退役军人", "Party member, Veteran", 18, None,
           ("人员标识", "人员类别", "标签", "类别", "mark")),
    Column("away", "外出", "Away", "boolean", "person", False,
           _l("Yes when the person works or lives elsewhere."),
           "否", "no", 6, YES_NO, ("是否外出", "外出务工", "是否外出务工", "away for work")),
    Column("household_income", "户年收入(元)", "Household income (yuan)", "money", "household", False,
           _l("Income of the whole household in a year, in whole yuan, in the row of its head."),
           "32000", "32000", 14, None, ("户年收入", "家庭年收入", "年收入", "家庭收入", "household income")),
    Column("income_year", "收入年度", "Income year", "year", "household", False,
           _l("The year of that income, in four digits."),
           "2024", "2024", 10, None, ("收入年份", "年度", "year of income")),
)
# fmt: on

STANDARD_COLUMNS: tuple[Column, ...] = _STANDARD
#: Headers of columns that are there for people: the reader passes them over in silence.
NOTE_HEADER = ("错误说明", "What to mend")
#: Of the error workbook: the row of the file that a row is, and what it is known by when it comes back.
ROW_HEADER = ("行号", "Row")
KEY_HEADER = ("修正码(勿改)", "Repair key (leave as it is)")
IGNORED_HEADERS = (*NOTE_HEADER, *ROW_HEADER, *KEY_HEADER, "序号", "No.")
#: Sheets that show how it is done, or hold what is no longer true: read only where a person says so.
EXAMPLE_SHEET = re.compile(r"示例|样表|模板|样例|填写说明|旧|作废|备份|example|sample|template|backup", re.IGNORECASE)
#: Words that a row begins with which is no data: an example or a remark.
NOTE_ROW = re.compile(
    r"(?:示例|例|说明|填表说明|填写说明|注|备注|example|note|notes):.*"
    r"|(?:填表人|审核人|制表人|填报单位|填表日期).*",
    re.IGNORECASE | re.DOTALL,
)
#: The same for a row of sums: 合计, 小计：25人, 本页合计, 总 计.
TOTAL_ROW = re.compile(
    r"(?:本[页村组]|全[村组镇]|累计)?(?:合计|总计|小计|共计|subtotal|grandtotal|total)(?:[:(0-9].*)?", re.IGNORECASE
)
#: What the template puts before the first cell of its example row.
EXAMPLE_PREFIX = ("示例:", "Example: ")
#: What separates several marks in one cell.
MARK_SEPARATORS = re.compile(r"[、;,/|\n]+")
#: What does so only where the whole is no mark of that name: 党员。退役军人, 党员+退役军人.
MARK_BLANKS = re.compile(r"[\s。+&]+")

_CUSTOM_KINDS = {
    "text": "text",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "boolean": "boolean",
    "choice": "choice",
}
_CUSTOM_WIDTHS = {"text": 18, "integer": 10, "decimal": 10, "date": 12, "boolean": 8, "choice": 14}


def mark_table(mark_kinds: Iterable[MarkKindLike]) -> CodeTable:
    """The county's mark kinds as a table to read by."""
    return CodeTable(
        "marks",
        [Code(kind.key, kind.name, kind.name_en, MARKS.get(kind.key, ())) for kind in mark_kinds],
    )


def custom_key(entity: str, key: str) -> str:
    """Key of a custom field's column: ``household.housing``."""
    return f"{entity}.{key}"


def roster_columns(
    custom_fields: Iterable[CustomFieldLike] = (),
    mark_kinds: Iterable[MarkKindLike] = (),
    offered: Iterable[Column] = (),
) -> tuple[Column, ...]:
    """All columns of a county's roster in their order: the standard ones, then its custom fields, then those that
    plugins offer.

    A custom field's column is required when the field is; a household's only in the row of the head.
    """
    marks = mark_table(mark_kinds)
    columns = [_with_choices(c, marks) if c.key == "marks" else c for c in STANDARD_COLUMNS]
    taken = {fold_header(text) for c in columns for text in (c.zh, c.en, *c.aliases)}
    for spec in custom_fields:
        zh, en = spec.name, spec.name_en or spec.name
        if fold_header(zh) in taken:
            # Two fields of one name, or a standard column's: tell them apart by whose they are.
            zh += "(户)" if spec.entity == "household" else "(人)"
        columns.append(_custom_column(spec, zh, en))
        taken.add(fold_header(zh))
    for column in offered:
        if {fold_header(column.zh), fold_header(column.en)} & taken:
            # What the county itself calls so goes first.
            column = replace(column, zh=f"{column.zh}[{column.key}]", en=f"{column.en} [{column.key}]")
        columns.append(column)
        taken |= {fold_header(column.zh), fold_header(column.en)}
    return tuple(columns)


def _with_choices(column: Column, table: CodeTable) -> Column:
    # Two that fit the example's person, or else the first two.
    fitting = [entry for entry in table if entry.code in ("party_member", "veteran")] or list(table)[:2]
    labels = [entry.zh for entry in fitting]
    english = [entry.en or entry.zh for entry in fitting]
    return replace(column, choices=table, example="、".join(labels), example_en=", ".join(english))


def _custom_column(spec: CustomFieldLike, zh: str, en: str) -> Column:
    choices: CodeTable | None = None
    example, example_en = "", ""
    if spec.type == "choice":
        options = [Code(o["key"], o["name"], o.get("name_en", "")) for o in spec.options]
        choices = CodeTable(spec.key, options)
        example, example_en = (options[0].zh, options[0].en or options[0].zh) if options else ("", "")
    elif spec.type == "boolean":
        choices, example, example_en = YES_NO, "是", "yes"
    elif spec.type == "date":
        example = example_en = "2024-01-31"
    elif spec.type == "integer":
        example = example_en = "1"
    elif spec.type == "decimal":
        example = example_en = "3.5"
    return Column(
        custom_key(spec.entity, spec.key),
        zh,
        en,
        _CUSTOM_KINDS[spec.type],
        spec.entity,
        spec.required,
        CountyText(spec.help, spec.help_en),
        example,
        example_en,
        _CUSTOM_WIDTHS[spec.type],
        choices,
        custom=spec.key,
    )


_BRACKETS = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]")


def fold_header(text: str) -> str:
    """A header without blanks, stars and case: what two headers are compared by."""
    return without_spaces(text).lower().strip("*:.。")


def bare_header(text: str) -> str:
    """A header without its bracketed remarks: 户年收入(元) -> 户年收入."""
    return fold_header(_BRACKETS.sub("", without_spaces(text)))
