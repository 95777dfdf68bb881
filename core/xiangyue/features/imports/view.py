"""How an import is shown: its state in words, its step, the kinds of errors, what a row changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from xiangyue.db.uow import Uow
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.imports import registers
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import ROSTER, UPDATE
from xiangyue.features.imports.roster_columns import Column
from xiangyue.features.imports.roster_file import FILE_PROBLEMS, describe_file_problem
from xiangyue.features.imports.roster_header import HeaderProblem, describe_header
from xiangyue.features.imports.roster_places import row_text, sheet_names
from xiangyue.features.imports.roster_update import CLEAR_WORD
from xiangyue.features.jobs import view as job_view
from xiangyue.i18n import current_locale, ngettext
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.web.components import JobCard, Step

#: Characters of a cell that a page shows: a longer one would take the room of the others.
MOST_SHOWN = 40

#: States in which a job works on the batch.
BUSY = ("uploaded", "checking", "committing", "undoing")

STATES: dict[str, Any] = {
    "uploaded": _l("Waiting for the check"),
    "checking": _l("Being checked"),
    "mapping": _l("Columns to be matched"),
    "checked": _l("Checked, not written"),
    "committing": _l("Being written"),
    "committed": _l("Written"),
    "undoing": _l("Being undone"),
    "undone": _l("Undone"),
    "failed": _l("Could not be checked"),
    "cancelled": _l("Cancelled"),
}
FILE_KINDS: dict[str, Any] = {
    ROSTER: _l("A roster: households with their persons"),
    UPDATE: _l("Changes of some columns: only records that stand already"),
}
#: The same in a list.
SHORT_KINDS: dict[str, Any] = {ROSTER: _l("Roster"), UPDATE: _l("Changes of columns")}
_BADGES = {
    "uploaded": "neutral",
    "checking": "info",
    "mapping": "soon",
    "checked": "soon",
    "committing": "info",
    "committed": "ok",
    "undoing": "info",
    "undone": "neutral",
    "failed": "late",
    "cancelled": "neutral",
}
_STEPS = (_l("Upload"), _l("Columns"), _l("Check"), _l("Mend and try"), _l("Write"), _l("Result"))
_STEP_OF = {"mapping": 1, "checked": 3, "committing": 4, "committed": 5, "undoing": 5, "undone": 5}
#: Short names of the codes of `roster_messages.MESSAGES`, for the list of kinds.
KINDS: dict[str, Any] = {
    "id_format": _l("Citizen number: form"),
    "id_last": _l("Citizen number: last character"),
    "id_length": _l("Citizen number: length"),
    "id_old": _l("Citizen number of 15 digits"),
    "id_truncated": _l("Citizen number cut by the spreadsheet"),
    "id_region": _l("Citizen number: no such county"),
    "id_date": _l("Citizen number: date of birth"),
    "id_checksum": _l("Citizen number: check digit"),
    "id_duplicate": _l("Citizen number twice in the file"),
    "date_format": _l("Date not readable"),
    "date_incomplete": _l("Date incomplete"),
    "date_impossible": _l("No such day"),
    "date_future": _l("Date in the future"),
    "date_too_old": _l("Date before 1900"),
    "phone_format": _l("Phone number: form"),
    "phone_many": _l("Several phone numbers"),
    "name_format": _l("Name: characters"),
    "name_long": _l("Name too long"),
    "required": _l("Cell is empty"),
    "required_without_id": _l("Empty, and no citizen number"),
    "no_value": _l("No value"),
    "name_word": _l("No name but another word"),
    "town_unknown": _l("Town not recognised"),
    "village_unknown": _l("Village not recognised"),
    "village_ambiguous": _l("Village not unique"),
    "group_long": _l("Group name too long"),
    "household_no_format": _l("Household number: form"),
    "choice_unknown": _l("Not in the list"),
    "mark_unknown": _l("Mark not known"),
    "sex_mismatch": _l("Sex contradicts the citizen number"),
    "birth_mismatch": _l("Birth contradicts the citizen number"),
    "boolean_format": _l("Neither yes nor no"),
    "integer_format": _l("Not a whole number"),
    "decimal_format": _l("No number, or more than two decimal places"),
    "integer_range": _l("Number out of range"),
    "money_format": _l("Not whole yuan"),
    "year_format": _l("Year not readable"),
    "income_year_missing": _l("Income without a year"),
    "text_long": _l("Text too long"),
    "cell_error": _l("Error of the spreadsheet"),
    "row_twice": _l("Person twice in a household"),
    "no_head": _l("Household without a head"),
    "two_heads": _l("Household with two heads"),
    "household_differs": _l("Rows of a household differ"),
    "head_row_only": _l("Belongs in the row of the head"),
    "outside_area": _l("Outside my area"),
    "group_unknown": _l("Group not known"),
    "group_absent": _l("Group not known"),
    "household_elsewhere": _l("Household stands outside my area"),
    "household_twice": _l("Household twice in the file"),
    "head_other": _l("Another head in the register"),
    "person_elsewhere": _l("Person stands outside my area"),
    "person_twice": _l("Person twice in the file"),
    "mark_forbidden": _l("No right to this mark"),
    "household_unknown": _l("No such household"),
    "person_unknown": _l("No such person"),
    "person_ambiguous": _l("Person not unique"),
    "record_twice": _l("Record twice in the file"),
    "erased": _l("Person was erased on request"),
    "told": _l("Told by the register"),
    "not_taken": _l("Not taken by the register"),
    "record_key": _l("Nothing to find a record by"),
    "record_unknown": _l("No such record"),
    "clear_refused": _l("Cannot be cleared"),
    "clear_required": _l("Required, cannot be cleared"),
    "clear_twice": _l("Cleared here, said elsewhere"),
}
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]+")


def marked(text: Any) -> Any:
    """A sentence with data in it: on an English page its Chinese stretches are marked as such."""
    if current_locale() == "zh":
        return str(text)
    made, last = Markup(), 0
    plain = str(text)
    for match in _CJK.finditer(plain):
        made += escape(plain[last : match.start()]) + Markup('<span lang="zh-CN">{}</span>').format(match[0])
        last = match.end()
    return made + escape(plain[last:])


def count(batch: ImportBatch, key: str) -> int:
    """A count of the batch; what was not counted is 0."""
    return int((batch.counts or {}).get(key) or 0)


def state_label(batch: ImportBatch) -> Any:
    if batch.state == "checked" and count(batch, "errors"):
        return _l("To be mended")
    return STATES[batch.state]


def state_badge(batch: ImportBatch) -> str:
    """Kind of the badge that carries the state."""
    if batch.state == "checked" and not count(batch, "errors"):
        return "info"
    return _BADGES[batch.state]


def is_register(batch: ImportBatch) -> bool:
    """Whether the batch is of a declared register: its rows are records, not persons of households."""
    return registers.is_register(batch.kind)


def file_kinds(uow: Uow) -> list[tuple[str, Any]]:
    """(key, label) of what the actor may import."""
    offered = [(register.key, register.label) for _contributor, register in registers.offered_registers(uow)]
    own = list(FILE_KINDS.items()) if uow.actor.can(HOUSEHOLD_EDIT) or not offered else []
    return own + offered


def filter_kinds(uow: Uow) -> list[tuple[str, Any]]:
    """(key, label) of the kinds by which the list of imports is filtered: those that are installed."""
    known = [(register.key, register.label) for _contributor, register in registers.known_registers(uow)]
    return [*SHORT_KINDS.items(), *known]


def kind_words(uow: Uow, kind: str) -> Any:
    """What is in a file of the kind, also of one whose plugin is off."""
    if kind in FILE_KINDS:
        return SHORT_KINDS[kind]
    plugin, label = registers.register_words(uow, kind)
    return _l("%(register)s (%(plugin)s)", register=label, plugin=plugin) if plugin else label


def steps(batch: ImportBatch | None) -> tuple[list[Step], int]:
    """The wizard's steps and the current one; before there is a batch it is the upload."""
    return [Step(label) for label in _STEPS], 0 if batch is None else _STEP_OF.get(batch.state, 2)


def kind_label(code: str) -> Any:
    return KINDS.get(code, code)


def file_problem(batch: ImportBatch) -> str:
    """Why the file could not be taken at all, or ""."""
    problem = batch.problem or {}
    code = str(problem.get("code", ""))
    if code in FILE_PROBLEMS:
        return describe_file_problem(code, problem.get("params") or {})
    return _("The header row must be mended before the rows can be read.") if code == "header" else ""


def header_problems(batch: ImportBatch) -> list[HeaderProblem]:
    """Problems of the header row, those that stop the import first."""
    found = [HeaderProblem.from_dict(problem) for problem in (batch.header or {}).get("problems", [])]
    return sorted(found, key=lambda problem: not problem.blocking)


def reading(batch: ImportBatch) -> list[Any]:
    """Sentences on how the file was read: which sheet, what was passed over, what was left aside."""
    header = batch.header or {}
    if "row" not in header:
        return []
    lines: list[Any] = []
    read = [sheet for sheet in header.get("sheets") or () if sheet["read"]]
    if len(read) > 1:
        names = [_("“%(sheet)s” (header in row %(row)d)", sheet=s["name"], row=s["row"]) for s in read]
        lines.append(_("Read: %(n)d sheets: %(names)s.", n=len(read), names=" · ".join(names)))
    elif header.get("sheet"):
        lines.append(_("Read: sheet “%(sheet)s”, header in row %(row)d.", sheet=header["sheet"], row=header["row"]))
    else:
        lines.append(_("Read: header in row %(row)d.", row=header["row"]))
    if batch.kind == UPDATE:
        lines.append(
            _(
                "Only the columns of this file are changed, in records that stand already. Empty cells change nothing; "
                "“%(word)s” or “clear” empties a value.",
                word=CLEAR_WORD,
            )
        )
    if any(sheet["members"] is not None for sheet in read):
        lines.append(_("Each row is a household with its members; 5(2) is the second member in row 5."))
    counts = header.get("skipped") or {}
    for key, sentence in _PASSED_OVER.items():
        if n := int(counts.get(key) or 0):
            lines.append(sentence(n))
    if n := int((header.get("repaired") or {}).get("id_old") or 0):
        lines.append(
            ngettext(
                "%(n)d old citizen number of 15 digits was completed to 18.",
                "%(n)d old citizen numbers of 15 digits were completed to 18.",
                n,
            )
        )
    if n := int((header.get("repaired") or {}).get("former_name") or 0):
        lines.append(
            ngettext(
                "%(n)d row names its town or village by a former name, which was understood.",
                "%(n)d rows name their town or village by a former name, which was understood.",
                n,
            )
        )
    if n := int((header.get("repaired") or {}).get("filled_down") or 0):
        lines.append(
            ngettext(
                "%(n)d row leaves town, village or household number to the row above (merged, empty or ditto); it was "
                "completed from there.",
                "%(n)d rows leave town, village or household number to the row above (merged, empty or ditto); they "
                "were completed from there.",
                n,
            )
        )
    for name, roster in header.get("others") or []:
        lines.append(
            _("Sheet “%(sheet)s” has a roster too and was not read. “Change the columns” has the choice.", sheet=name)
            if roster
            else _("Sheet “%(sheet)s” was left aside: it has no header of a roster.", sheet=name)
        )
    return [marked(line) for line in lines]


_PASSED_OVER: dict[str, Callable[[int], str]] = {
    "hidden": lambda n: ngettext(
        "%(n)d row is hidden in the sheet and was read all the same.",
        "%(n)d rows are hidden in the sheet and were read all the same.",
        n,
    ),
    "total": lambda n: ngettext("%(n)d row of sums was passed over.", "%(n)d rows of sums were passed over.", n),
    "note": lambda n: ngettext("%(n)d row of remarks was passed over.", "%(n)d rows of remarks were passed over.", n),
    "header": lambda n: ngettext(
        "The header stands there again in %(n)d row, which was passed over.",
        "The header stands there again in %(n)d rows, which were passed over.",
        n,
    ),
    "blank": lambda n: ngettext("%(n)d empty row was passed over.", "%(n)d empty rows were passed over.", n),
}


def header_text(problem: HeaderProblem) -> Any:
    return marked(describe_header(problem))


def column_label(columns: Iterable[Column], key: str) -> str:
    return next((column.label for column in columns if column.key == key), key)


def row_of(batch: ImportBatch, number: int) -> Any:
    """The number of a row of the batch as people read it."""
    return marked(row_text(number, sheet_names(batch.header or {})))


def job_card(uow: Uow, batch: ImportBatch, job: Job) -> JobCard:
    """The card of the job that works on the batch: polled here, stopped through the batch."""
    titles = {"committing": _("Writing into the register"), "undoing": _("Undoing the import")}
    title = titles.get(batch.state, _("Checking the file"))
    card = job_view.card(uow, job, url=url_for("imports.progress", id=batch.id), result=False, title=title)
    return replace(card, cancel_url=url_for("imports.cancel", id=batch.id))


@dataclass(frozen=True, slots=True)
class UndoneLine:
    """Entries of a kind that an undo takes away, and those that get back what stood before (None: never)."""

    label: Any
    gone: int
    back: int | None


def undone_lines(counts: Mapping[str, int]) -> list[UndoneLine]:
    """The numbers of an undo; households and persons always, of the rest what there is."""
    found = []
    for key, label in _UNDONE.items():
        gone, back = int(counts.get(key) or 0), int(counts.get(f"{key}_back") or 0)
        if gone or back or (key in ("households", "persons") and "records" not in counts):
            found.append(UndoneLine(label, gone, None if key in ("marks", "groups") else back))
    return found


_UNDONE: dict[str, Any] = {
    "records": _l("Records of the register"),
    "households": _l("Households"),
    "persons": _l("Persons"),
    "marks": _l("Marks"),
    "incomes": _l("Yearly incomes"),
    "awards": _l("Yearly awards"),
    "values": _l("Own fields"),
    "groups": _l("Villager groups"),
}
