# data: zh
"""The roster of posts: one row for each holder, in columns that the import of a roster reads again."""

from __future__ import annotations

from typing import Any

from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS
from xiangyue.features.organisations import policy
from xiangyue.features.organisations.holders import Holding, Seats
from xiangyue.features.organisations.view import GONE, Line
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.text.codes import SEX

#: Headings of the columns that an import reads again, in Chinese and English.
HEADINGS: dict[str, tuple[str, str]] = {
    "place": ("所在区划", "Where"),
    "organisation": ("组织", "Organisation"),
    "org_kind": ("组织类型", "Kind of organisation"),
    "post_name": ("职务", "Post"),
    "holder": ("任职人", "Holder"),
    "person_no": ("人编号", "Number of the person"),
    "outside": ("册外人员", "From outside the register"),
    "unit": ("单位", "Unit"),
    "since": ("到任日期", "In the post since"),
    "term_end": ("任期至", "Term until"),
    "way": ("产生方式", "How it came"),
    "decided": ("产生日期", "Decided on"),
    "votes": ("得票", "Votes for"),
    "cast": ("投票数", "Votes cast"),
    "document": ("文号", "Number of the paper"),
    "allowed": ("可以担任的理由", "Why it is allowed"),
}
#: Columns of the export: those of the import, its place by town, village and group, and some to look at.
PLACE = ("town", "village", "group")
MORE: dict[str, tuple[str, str]] = {"sex": ("性别", "Sex"), "age": ("年龄", "Age"), "look": ("待处理", "To look at")}
_STANDARD = {column.key: (column.zh, column.en) for column in STANDARD_COLUMNS if column.key in PLACE}
COLUMNS: dict[str, tuple[str, str]] = {
    **{key: _STANDARD[key] for key in PLACE},
    **{key: names for key, names in HEADINGS.items() if key != "place"},
    **MORE,
}


def headings() -> list[Any]:
    return [pick(zh, en) for zh, en in COLUMNS.values()]


def cells(line: Line, one: Holding) -> list[Any]:
    """A holder as a row."""
    row = one.row
    values = {
        **_place(line),
        "post_name": one.post.name,
        "holder": one.name,
        "person_no": row.person_id,
        "outside": pick("是", "yes") if row.person_id is None else "",
        "unit": row.outsider_unit,
        "since": row.valid_from,
        "term_end": row.term_until,
        "way": str(policy.WAYS.get(row.way, row.way)),
        "decided": row.decided_on,
        "votes": row.votes,
        "cast": row.votes_cast,
        "document": row.document,
        "allowed": row.doubt_reason,
        "sex": SEX.label(str(one.who.sex)) if one.who is not None and one.who.sex else "",
        "age": one.age,
        "look": str(GONE.get(one.gone, "")) if one.gone else "",
    }
    return [values.get(key) for key in COLUMNS]


def empty_cells(line: Line, seats: Seats) -> list[Any]:
    """A post that must be taken and that nobody holds."""
    values = {**_place(line), "post_name": seats.post.name, "look": str(_l("vacant"))}
    return [values.get(key) for key in COLUMNS]


def _place(line: Line) -> dict[str, Any]:
    """Of the county's own organisations its name stands where the town's does."""
    names = dict(zip(PLACE, line.places, strict=False))
    return {**names, "organisation": line.row.name, "org_kind": line.kind}
