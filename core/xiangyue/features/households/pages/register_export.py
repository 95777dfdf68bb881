"""The ledger of acts and the reports as a file, with what for and the number of the audit entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import queries as areas
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.register_acts import (
    ACT_COLUMNS,
    act_filter,
    act_filters,
)
from xiangyue.features.households.queries_acts import ActFilter, ActRow, count_ledger, ledger
from xiangyue.features.households.register.words import KIND_LABELS, STATE_LABELS
from xiangyue.features.households.service_export import ACTS_KIND, note_export, start_export
from xiangyue.files.workbook import Written, write_table
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import today
from xiangyue.web.access import requires
from xiangyue.web.components import Filter, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.watermark import new_number, watermark

STEP = 500


@bp.route("/register/acts/export", methods=["GET", "POST"])
@requires(policy.HOUSEHOLD_EXPORT)
def export_acts() -> Any:
    """What is going to be exported of the ledger and the question what for; sent, the file."""
    return _export(reports=False)


@bp.route("/register/reports/export", methods=["GET", "POST"])
@requires(policy.HOUSEHOLD_EXPORT)
def export_reports() -> Any:
    """What is going to be exported of the reports and the question what for; sent, the file."""
    return _export(reports=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants as a file. ``query``: the parameters of the list's address; ``area``: 15 digits or 0; ``by``:
    account whose reports alone are meant; ``number``: under which it will be on record."""

    query: str
    area: int
    reports: bool
    by: int | None
    format: str
    purpose: str
    number: str

    @classmethod
    def kept(cls, params: Mapping[str, Any]) -> Asked:
        """From what a job kept. Raises Invalid (by)."""
        if not isinstance(params["by"], int | None):
            raise Invalid({"by": [_l("Choose one of the options.")]})
        return cls(**{name: params[name] for name in cls.__slots__})

    @property
    def view(self) -> ListView:
        return _view(self.reports, MultiDict(parse_qsl(self.query)), "")

    @property
    def wanted(self) -> ActFilter:
        return act_filter(self.view, self.area, reports=self.reports, by=self.by)

    @property
    def title(self) -> str:
        return _title(self.reports)

    @property
    def file_name(self) -> str:
        """Without its extension."""
        place = areas.code_text(self.area) if self.area else ""
        return "-".join(part for part in (self.title, place, today().isoformat()) if part)


def count(uow: Uow, asked: Asked) -> int:
    return count_ledger(uow, asked.wanted)


def write(uow: Uow, asked: Asked, step: Callable[[int], None]) -> Written:
    """The file; ``step`` may raise to stop."""
    view = asked.view

    def cells() -> Iterator[list[Any]]:
        for number, row in enumerate(_each(uow, asked.wanted, view.order), 1):
            step(number)
            yield [_cell(column.key, row) for column in view.visible]

    mark = watermark(uow, asked.purpose, asked.number)
    return write_table(asked.title, [c.label for c in view.visible], cells(), format=asked.format, watermark=mark)


def put_on_record(uow: Uow, asked: Asked, rows: int) -> None:
    view = asked.view
    note_export(
        uow,
        entity="register",
        number=asked.number,
        purpose=asked.purpose,
        rows=rows,
        columns=[column.key for column in view.visible],
        conditions={name: view.values(name) for name in view.active_names},
        area_code=asked.area,
    )


def _title(reports: bool) -> str:
    return _("Reports of changes") if reports else _("Changes of the register")


def _view(reports: bool, args: Any, path: str) -> ListView:
    mine = Filter("mine", _l("Reported by"), choices=[("yes", _l("me"))])
    filters = (*act_filters(reports=reports), *((mine,) if reports else ()))
    return ListView(ACT_COLUMNS, args, path, filters, default_sort="-recorded" if reports else "-day")


def _export(*, reports: bool) -> Any:
    uow = current_uow()
    path = url_for("households.list_reports" if reports else "households.list_acts")
    view = _view(reports, switch.args_without_all(), path)
    usable, area = not view.problems, switch.asked_area(uow)
    by = current_actor().account_id if reports and view.value("mine") else None
    wanted = act_filter(view, area, reports=reports, by=by) if usable else ActFilter()

    def cells() -> Iterator[list[Any]]:
        for row in _each(uow, wanted, view.order):
            yield [_cell(column.key, row) for column in view.visible]

    def note(taken: Taken) -> None:
        note_export(uow, entity="register", **asdict(taken), area_code=wanted.area)

    def later(format: str, purpose: str) -> int:
        query = urlencode([(name, value) for name, value in switch.args_without_all().items(multi=True)])
        asked = Asked(query, area, reports, by, format, purpose, new_number())
        return start_export(uow, params=asdict(asked), kind=ACTS_KIND).id

    return export_list(
        view,
        title=_("Export changes of the register"),
        of=_title(reports),
        back=view.url(),
        cells=cells,
        note=note,
        place=areas.code_text(wanted.area) if wanted.area else "",
        rows=count_ledger(uow, wanted) if usable else None,
        later=later,
    )


def _each(uow: Uow, wanted: ActFilter, sort: str) -> Iterator[ActRow]:
    after = None
    while True:
        found = ledger(uow, wanted, sort=sort, limit=STEP, after=after)
        yield from found.rows
        after = found.next
        if after is None:
            return


def _cell(column: str, row: ActRow) -> Any:
    act = row.act
    if column in ("household", "other"):
        home = row.household if column == "household" else row.other
        return f"{home.head_name} {home.code}".strip() if home else ""
    return {
        "who": row.names,
        "kind": str(KIND_LABELS[act.kind]),
        "day": act.on_date,
        "place": row.area_name,
        "state": str(STATE_LABELS[act.state]),
        "by": act.reported_name,
        "recorded": act.reported_at,
        "reason": act.reason,
        "decided": act.decided_name if row.told or act.state == "undone" else "",
        "decision": act.decision,
    }[column]
