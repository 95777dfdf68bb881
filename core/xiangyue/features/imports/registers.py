"""Registers whose imports plugins and other features declare: which there are, and their columns as files have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from xiangyue.access.permissions import lacking
from xiangyue.db.scope import Range
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.features.imports.models import ImportBatch
from xiangyue.features.imports.policy import ROSTER, UPDATE
from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS, YES_NO, Column
from xiangyue.features.imports.roster_header import HeaderProblem
from xiangyue.features.imports.roster_read import RosterSheet
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.dispatch import guarded, installed_offer
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registers import REFERENCES, ImportRegister, RegisterChoice, RegisterColumn
from xiangyue.runtime import offer_of
from xiangyue.text.codes import Code, CodeTable

_HOOK = "imports"
_STANDARD = {column.key: column for column in STANDARD_COLUMNS}
#: Column of the file that speaks for a reference, where something is wrong with it.
SPEAKS = {"village": "village", "area": "village", "place": "town", "household": "household_no", "person": "id_number"}
_HELP: dict[str, Any] = {
    "household_no": _l("Number of the household in its village, or its full code."),
    "id_number": _l("By it the person is found. Format the column as text, otherwise the spreadsheet cuts it."),
    "name": _l("Finds somebody without a citizen number, together with date of birth, town and village."),
    "birth_date": _l("Like 1980-01-31."),
}


def is_register(kind: str) -> bool:
    """Whether a batch of this kind is of a declared register, and not of households and persons."""
    return kind not in (ROSTER, UPDATE)


def offered_registers(uow: Uow) -> Iterator[tuple[Contributor, ImportRegister]]:
    """Those of what the county has on that the actor may import into, in order."""
    for contributor, register in offer_of(uow).each(_HOOK):
        if uow.actor.can(register.permission):
            yield contributor, register


def find_register(uow: Uow, kind: str) -> tuple[Contributor, ImportRegister] | None:
    """The register of a kind, whoever asks; None where its plugin is off or gone."""
    return next((pair for pair in offer_of(uow).each(_HOOK) if pair[1].key == kind), None)


def get_register(uow: Uow, kind: str) -> tuple[Contributor, ImportRegister]:
    """The same for somebody who may import into it; NotFound otherwise."""
    for pair in offered_registers(uow):
        if pair[1].key == kind:
            return pair
    raise NotFound(_l("There is no such import, or it lies outside your area."))


def known_registers(uow: Uow) -> list[tuple[Contributor, ImportRegister]]:
    """Those of all that is installed, whether on in the county or not: their old imports can be read."""
    return list(installed_offer(uow).each(_HOOK))


def register_words(uow: Uow, kind: str) -> tuple[Any, Any]:
    """(label of the plugin or "", label of the register), also of one that is off; the bare key of one that is not even
    installed."""
    for contributor, register in known_registers(uow):
        if register.key == kind:
            return (contributor.manifest.label if contributor.manifest is not None else ""), register.label
    return "", kind


def check_register_on(uow: Uow, batch: ImportBatch) -> None:
    """Raises Conflict for a batch of a register whose plugin is off by now."""
    if is_register(batch.kind) and find_register(uow, batch.kind) is None:
        plugin, label = register_words(uow, batch.kind)
        raise Conflict(
            _l(
                "The import of “%(register)s” belongs to the plugin “%(plugin)s”, which is no longer on. Nothing was "
                "written.",
                register=label,
                plugin=plugin or batch.kind.partition("_")[0],
            )
        )


def is_off(uow: Uow, batch: ImportBatch) -> bool:
    """Whether the batch is of a register whose plugin is off: it can be read, and nothing more."""
    return is_register(batch.kind) and find_register(uow, batch.kind) is None


def require_register(uow: Uow, batch: ImportBatch) -> tuple[Contributor, ImportRegister]:
    """The register of a batch for somebody who acts on it. Raises Conflict when its plugin is off, Forbidden without
    the right to import into it."""
    check_register_on(uow, batch)
    found = find_register(uow, batch.kind)
    if found is None or not uow.actor.can(found[1].permission):
        raise lacking(found[1].permission) if found is not None else NotFound(_l("There is no such import."))
    return found


def columns_of_kind(uow: Uow, kind: str) -> tuple[Column, ...]:
    """The columns of a register's files. Of one that is off without its lists, of one that is gone none."""
    found = find_register(uow, kind)
    if found is not None:
        return register_columns(found[1], {c.key: _asked(uow, *found, c) for c in found[1].columns if c.choices})
    off = next((register for _contributor, register in known_registers(uow) if register.key == kind), None)
    return () if off is None else register_columns(off, {})


def _asked(uow: Uow, contributor: Contributor, register: ImportRegister, column: RegisterColumn) -> CodeTable:
    """The choices of a column; none where the plugin fails, which is its fault: then no text in it is right."""
    hook = f"{_HOOK}:{register.key}:choices"
    call = partial(_table, uow, column)
    found: CodeTable | None = guarded(uow, contributor, hook, call, expect=CodeTable, default=None)
    return found or CodeTable(column.key, ())


def _table(uow: Uow, column: RegisterColumn) -> CodeTable:
    assert column.choices is not None
    made = []
    for choice in column.choices(uow):
        if not isinstance(choice, RegisterChoice) or not isinstance(choice.key, str) or not choice.zh:
            raise TypeError(f"{column.key}: {type(choice).__name__} is no RegisterChoice")
        made.append(Code(choice.key, choice.zh, choice.en, tuple(choice.synonyms)))
    return CodeTable(column.key, made)


def register_columns(register: ImportRegister, tables: dict[str, CodeTable]) -> tuple[Column, ...]:
    """The columns as files have them, in order: what the register declares, and for references the core's."""
    made: dict[str, Column] = {}
    for column in register.columns:
        if column.kind not in REFERENCES:
            made[column.key] = _column(column, tables.get(column.key))
            continue
        for key in REFERENCES[column.kind]:
            required = column.required and _must_stand(column.kind, key)
            if key in made:
                made[key] = replace(made[key], required=made[key].required or required)
                continue
            known = _STANDARD[key]
            help = _HELP.get(key, known.help)
            made[key] = replace(known, entity="record", required=required, help=help)
    return tuple(made.values())


def _must_stand(kind: str, key: str) -> bool:
    """Whether a column of a required reference must be there: a place by its names, a household by its number."""
    if kind == "place":
        return key == "town"
    return key != "group" and (kind in ("village", "area") or (kind == "household" and key == "household_no"))


def _column(column: RegisterColumn, table: CodeTable | None) -> Column:
    zh, en = column.names
    choices = YES_NO if column.kind == "boolean" else table
    if column.kind == "choice" and choices is None:
        choices = CodeTable(column.key, ())
    example, english = column.example, column.example
    if not example and choices is not None and len(choices):
        first = choices.codes[0]
        example, english = first.zh, first.en or first.zh
    return Column(
        column.key, zh, en, column.kind, "record", column.required, column.help, example, english, column.width,
        choices, column.aliases,
    )  # fmt: skip


def speaking_column(register: ImportRegister) -> str:
    """The file's column that speaks for the whole row, where something is wrong with that."""
    key = register.keys[0] if register.keys else register.columns[0].key
    column = register.column(key)
    return key if column is None else SPEAKS.get(column.kind, key)


def header_faults(register: ImportRegister, sheet: RosterSheet) -> list[HeaderProblem]:
    """What keeps a sheet from being read although no required column is missing: nothing to find a person by."""
    found = set(sheet.columns)
    person = any(column.kind == "person" and column.required for column in register.columns)
    if person and "id_number" not in found and not {"name", "birth_date", "town", "village"} <= found:
        return [HeaderProblem("header_person_missing", "")]
    return []


def cut(first: Sequence[Range] | None, second: Sequence[Range] | None) -> tuple[Range, ...] | None:
    """What lies in both; None is the whole county."""
    if first is None or second is None:
        both = second if first is None else first
        return None if both is None else tuple(both)
    found = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return tuple(sorted((lo, hi) for lo, hi in found if lo <= hi))
