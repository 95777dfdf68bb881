# data: zh
"""Sample values for ``/dev/components``: every component in every state, in both languages. Nobody here is real."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from xiangyue.i18n import pick
from xiangyue.web.components import (
    BulkAction,
    Chart,
    Column,
    ConflictRow,
    Filter,
    FormView,
    JobCard,
    ListView,
    SaveView,
    Series,
    Step,
    TimelineItem,
    ViewTab,
)

AT = datetime(2026, 11, 18, 6, 5, tzinfo=UTC)

# An address of the greatest length that a page must bear.
_LONG = "漩涡镇上七村三组老粮站后面的坡上第二排土墙房子左手第一家门前有一棵大核桃树和一口压水井对面是村里的旧小学"

# name, code, village and group, people, colour, days since the last visit, what is owed
_ROWS: tuple[tuple[str, str, str, int, str, int | None, str], ...] = (
    ("王德福", "6109212010040023", "上七村 3组", 4, "green", 12, ""),
    ("陈桂兰", "6109212010040031", "上七村 3组", 2, "red", 3, "soon"),
    ("刘洋", "6109212010040044", "上七村 4组", 5, "undetermined", None, ""),
    ("欧阳秀英", "6109212010040052", "茨沟村 1组", 1, "red", 41, "late"),
    ("吴·木子", "6109212010040083", "东河村 2组", 4, "yellow", 95, ""),
    ("周永贵", "6109212010040090", _LONG, 3, "undetermined", None, "late"),
)
_KEYS = ("name", "code", "group", "size", "color", "seen", "owed")
ROWS: tuple[dict[str, Any], ...] = tuple(
    {"id": number, **dict(zip(_KEYS, row, strict=True))} for number, row in enumerate(_ROWS, start=1)
)


def _list(args: Any, path: str, count: int) -> ListView:
    colours = [(k, colour_word(k)) for k in ("green", "yellow", "red", "undetermined")]
    return ListView(
        columns=(
            Column("name", pick("户主", "Household head"), sort=True, primary=True),
            Column("group", pick("村 · 组", "Village · group"), sort=True),
            Column("size", pick("人口", "People"), numeric=True, sort=True),
            Column("color", pick("三色", "Colour")),
            Column("seen", pick("最近走访", "Last visit"), sort=True),
            Column("owed", pick("所欠", "Owed")),
            Column("code", pick("户编号", "Household code"), default=False),
        ),
        filters=(
            Filter("q", pick("姓名", "Name"), kind="text", placeholder=pick("姓名或拼音", "name or pinyin")),
            Filter("color", pick("颜色", "Colour"), choices=colours),
            Filter("village", pick("村", "Village"), choices=[("1", "上七村"), ("2", "茨沟村")], data=True),
            Filter("since", pick("走访早于", "Visited before"), kind="date", more=True),
            Filter("size", pick("人口", "People"), kind="number", more=True),
        ),
        args=args,
        path=path,
        default_sort="name",
        count=count,
        count_text=pick(f"符合 {count} 户", f"{count} households match"),
        next_cursor="c2" if count else None,
        back_cursor="c0" if count else None,
        export_url=path,
        select_name="ids" if count else None,
        views=(
            ViewTab(pick("全部", "All"), path, True, data=False),
            ViewTab(pick("三十天未走访", "Not visited for 30 days"), path, False, data=False),
        ),
        save=SaveView(path, "samples", "mark=poor", may_share=True, manage_url=path),
    )


def colour_word(kind: str) -> str:
    return {
        "green": pick("绿 放心户", "Green · at ease"),
        "yellow": pick("黄 关心户", "Yellow · care"),
        "red": pick("红 连心户", "Red · close"),
        "undetermined": pick("待定", "Undetermined"),
    }[kind]


def owed_words(kind: str) -> str:
    return pick("还有 2 个工作日", "2 working days left") if kind == "soon" else pick("迟 1 天", "1 day late")


def days_ago(days: int) -> str:
    return pick(f"{days} 天前", f"{days} days ago")


def _forms() -> dict[str, FormView]:
    values = {"name": "陈桂兰", "members": 2, "since": "2024-03-02", "village": "1", "kind": "visit", "marks": ["a"]}
    return {
        "plain": FormView(values=values, cancel_url="#", draft="dev-sample", version=7, id="plain"),
        "wrong": FormView(
            values={**values, "name": "", "members": -1, "kind": "", "village": ""},
            errors={
                "name": [pick("请填户主姓名。", "Give the name of the household head.")],
                "members": [pick("人数不能小于 1。", "There is at least one person.")],
                "village": [pick("请选一个村。", "Choose a village.")],
                "marks": [pick("最多选两项。", "Choose two at most.")],
                "": [pick("文件和表格对不上。", "The file does not fit the form.")],
            },
            multipart=True,
            id="wrong",
        ),
        "stale": FormView(
            values=values,
            version=8,
            conflict=[
                ConflictRow("name", pick("姓名", "Name"), "陈桂兰", "陈桂芳"),
                ConflictRow("members", pick("人数", "Members"), 2, 3),
                ConflictRow("village", pick("村", "Village"), "上七村", "上七村"),
            ],
            reload_url="#",
            cancel_url="#",
            id="stale",
        ),
    }


def _jobs() -> list[JobCard]:
    title = pick("导入花名册", "Import of a roster")
    doing = pick("正在写入住户", "Writing households")
    wrote = pick("写入 20,000 户、58,113 人", "Wrote 20,000 households, 58,113 people")
    failed = pick("第 18 行写不进去：村名认不出。", "Row 18 could not be written: unknown village.")
    return [
        JobCard("queued", title, "queued", "#", cancel_url="#"),
        JobCard("running", title, "running", "#", 4870, 20000, doing, cancel_url="#", started=AT),
        JobCard("cancelling", title, "cancelling", "#", 4870, 20000),
        JobCard("done", title, "done", "#", 20000, 20000, wrote, result_url="#", started=AT, finished=AT),
        JobCard("failed", title, "failed", "#", 17, 20000, error=failed, result_url="#", finished=AT),
        JobCard("cancelled", title, "cancelled", "#", finished=AT),
    ]


def _charts() -> list[Chart]:
    towns = ["城关镇", "漩涡镇", "涧池镇", "蒲溪镇", "平梁镇", "双乳镇"]
    return [
        Chart(
            id="towns",
            title=pick("各镇住户", "Households by town"),
            categories=towns,
            series=[Series(pick("户", "Households"), [21870, 6218, 9120, 7466, 8011, 3304])],
            unit=pick("户", "households"),
            category_label=pick("镇", "Town"),
            horizontal=True,
            category_urls=["#"] * 6,
        ),
        Chart(
            id="visits",
            title=pick("每月走访", "Visits by month"),
            kind="line",
            categories=["2026-07", "2026-08", "2026-09", "2026-10", "2026-11"],
            series=[
                Series(pick("走访", "Visits"), [812, 930, 1011, 990, 640]),
                Series(pick("电话", "Calls"), [230, 260, 199, 280, None]),
            ],
            unit=pick("次", "times"),
            category_label=pick("月", "Month"),
            data_labels=False,
        ),
        Chart(id="none", title=pick("还没有的", "Not yet"), categories=[], series=[]),
    ]


def component_samples(args: Any, path: str) -> dict[str, Any]:
    """Context of ``dev/components.html``; ``args`` and ``path`` are the request's, so the list reacts to its URL."""
    return {
        "colour_word": colour_word,
        "rows": [r for r in ROWS if not (c := args.get("color")) or r["color"] == c],
        "view": _list(args, path, len(ROWS)),
        "empty_view": _list({"q": "z"}, path, 0),
        "bulk": [
            BulkAction(pick("指派包抓人", "Assign a contact"), "#"),
            BulkAction(
                pick("移出", "Move out"), "#", kind="danger", confirm=pick("要移出所选的户吗？", "Move them out?")
            ),
        ],
        "forms": _forms(),
        "jobs_": _jobs(),
        "charts_": _charts(),
        "steps_": [
            Step(pick("上传", "Upload"), "#"),
            Step(pick("对列", "Match"), "#"),
            Step(pick("修正", "Mend")),
            Step(pick("试跑", "Dry run")),
            Step(pick("写入", "Write")),
        ],
        "timeline": [
            TimelineItem(pick("走访", "Visit"), "独居，取暖煤已到；想办低保。", "周支书", AT),
            TimelineItem(
                pick("诉求 #2026-1187", "Request #2026-1187"),
                meta=pick("转镇民政", "to civil affairs"),
                when=AT,
                url="#",
            ),
            TimelineItem(pick("三色", "Colour"), meta=pick("待定 → 红", "undetermined → red"), when=AT),
        ],
        "clause": "汉办发〔2021〕11号 四(二)2",
        "at": AT,
        "days_ago": days_ago,
        "owed_words": owed_words,
    }
