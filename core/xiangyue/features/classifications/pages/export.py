"""Export of exactly what the list shows; the purpose stands in the audit trail. Sensitive grounds are never in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import code_text
from xiangyue.features.classifications.list_query import Row, count_classifications, each_classification
from xiangyue.features.classifications.pages import bp
from xiangyue.features.classifications.pages.lists import Listing, grounds_text, listing
from xiangyue.features.classifications.policy import CLASSIFICATION_EXPORT, STATES
from xiangyue.features.classifications.service import note_export, start_export
from xiangyue.files.workbook import Written, write_table
from xiangyue.i18n import gettext as _
from xiangyue.i18n import today
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow
from xiangyue.web.watermark import new_number, watermark


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants as a file. ``query``: the parameters of the list's address; ``area``: 15 digits or 0;
    ``number``: under which it will be on record; ``reading``: what they said they need sensitive facts for."""

    query: str
    area: int
    format: str
    purpose: str
    number: str
    reading: str

    @classmethod
    def kept(cls, params: Mapping[str, Any]) -> Asked:
        """From what a job kept."""
        return cls(**{name: params[name] for name in cls.__slots__})

    def listing(self, uow: Uow) -> Listing:
        found = listing(uow, MultiDict(parse_qsl(self.query)))
        if found.problems:
            raise Invalid(found.problems)
        return replace(found, filter=replace(found.filter, area=self.area))

    @property
    def file_name(self) -> str:
        """Without its extension."""
        place = code_text(self.area) if self.area else ""
        return "-".join(part for part in (_("Classifications"), place, today().isoformat()) if part)


def write(uow: Uow, asked: Asked, found: Listing, step: Callable[[int], None]) -> Written:
    """The file; ``step`` may raise to stop."""

    def counted() -> Iterator[list[Any]]:
        for number, row in enumerate(_rows(uow, found), 1):
            step(number)
            yield row

    headings = [column.label for column in found.view.visible]
    mark = watermark(uow, asked.purpose, asked.number)
    return write_table(_("Classifications"), headings, counted(), format=asked.format, watermark=mark)


def put_on_record(uow: Uow, asked: Asked, found: Listing, rows: int) -> None:
    note_export(
        uow,
        number=asked.number,
        purpose=asked.purpose,
        area=asked.area,
        rows=rows,
        columns=[column.key for column in found.view.visible],
        conditions={name: found.view.values(name) for name in found.view.active_names},
    )


@bp.route("/classifications/export", methods=["GET", "POST"])
@requires(CLASSIFICATION_EXPORT)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow = current_uow()
    asked = listing(uow)
    asked = replace(asked, filter=replace(asked.filter, area=switch.asked_area(uow)))
    area = asked.filter.area

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken), area=area)

    def later(format: str, purpose: str) -> int:
        query = urlencode([(name, value) for name, value in switch.args_without_all().items(multi=True)])
        return start_export(uow, params=asdict(Asked(query, area, format, purpose, new_number(), uow.info.purpose))).id

    return export_list(
        asked.view,
        title=_("Export classifications"),
        of=_("Classifications"),
        back=asked.view.url(url_for("classifications.list_classifications")),
        cells=lambda: _rows(uow, asked),
        note=note,
        place=code_text(area) if area else "",
        problems=asked.problems,
        rows=None if asked.problems else count_classifications(uow, asked.filter),
        later=later,
    )


def _rows(uow: Uow, found: Listing) -> Iterator[list[Any]]:
    for row in each_classification(uow, found.filter, sort=found.view.order):
        yield [_cell(column.key, row) for column in found.view.visible]


def _cell(column: str, row: Row) -> Any:
    """The value of a column as the list shows it."""
    values = row.values
    made: dict[str, Any] = {
        "name": values["head_name"],
        "place": values["area_name"],
        "classifier": str(row.classifier.label),
        "standing": str(row.standing),
        "state": str(STATES[values["state"]]),
        "waits": str(row.waits_for.label) if row.waits_for else "",
        "proposed": str(row.proposed),
        "valid_from": values["valid_from"],
        "due": values["review_due"],
        "computed": values["computed_at"],
        "version": values["rule_version"],
    }
    return grounds_text(row) if column == "grounds" else made[column]
