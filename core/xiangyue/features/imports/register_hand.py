"""Calls of the functions that a register's import declares: a plugin's in a savepoint and a limited time, its answers
looked at. What goes wrong is noted for the plugins page and ends the work with nothing written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, NoReturn, TypeVar

from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, XiangyueError
from xiangyue.features.imports.registers import SPEAKS
from xiangyue.features.imports.roster_check import SHOWN_LENGTH
from xiangyue.features.imports.roster_messages import TOLD, CellError
from xiangyue.i18n import LazyText
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobCancelled, JobInterrupted, JobLost
from xiangyue.plugin.blame import FROM_OUTSIDE, is_away
from xiangyue.plugin.dispatch import folder_of
from xiangyue.plugin.faults import Nonsense, record_fault
from xiangyue.plugin.limits import allowed, limited
from xiangyue.plugin.metrics import timed
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registers import CellFault, ImportRegister, RegisterChange, RegisterRow, RowOutlook
from xiangyue.plugin.shapes import problem_of

T = TypeVar("T")

#: Rows that a function gets at a time, and how many times as long as any hook it may take for them.
CHUNK = 500
_LONGER = 30
_MOST_WORDS = 300
_ENDS = (*FROM_OUTSIDE, JobCancelled, JobInterrupted, JobLost)
_VALUES = (str, int, float, bool, date, type(None))


class RegisterFault(Conflict):
    """A plugin failed at the rows of its register; ``plugin`` is its label. It is noted."""

    def __init__(self, register: ImportRegister, label: Any, reason: str) -> None:
        super().__init__(
            _l(
                "The plugin “%(plugin)s” failed at the rows of “%(register)s” (%(reason)s). Nothing was written.",
                plugin=label,
                register=register.label,
                reason=reason,
            )
        )
        self.plugin = label
        self.register = register

    def as_problem(self) -> dict[str, Any]:
        """As a batch keeps it, to be said in the language of whoever looks (`roster_file.FILE_PROBLEMS`)."""
        words = {"plugin": self.plugin, "register": self.register.label}
        said = {name: word.message if isinstance(word, LazyText) else str(word) for name, word in words.items()}
        return {"code": "register_broke", "params": said}


class Hand:
    """The functions of one register, inside ``scope``."""

    def __init__(self, uow: Uow, contributor: Contributor, register: ImportRegister, scope: Scope) -> None:
        self.uow, self.contributor, self.register, self.scope = uow, contributor, register, scope

    def check(self, rows: Sequence[RegisterRow]) -> list[RowOutlook]:
        """An outlook for each row, in their order. Raises RegisterFault."""
        if not rows:
            return []

        def asked() -> list[RowOutlook]:
            answer = self.register.check(self.uow, rows)
            return _outlooks(self.register, rows, answer)

        return self._call("check", asked)

    def write(self, rows: Sequence[RegisterRow]) -> None:
        """Raises RegisterFault."""
        if rows:
            self._call("write", partial(_void, self.register.write, self.uow, rows))

    def undo(self, changes: Sequence[RegisterChange]) -> None:
        """Raises RegisterFault."""
        take_back = self.register.undo
        if changes and take_back is not None:
            self._call("undo", partial(_void, take_back, self.uow, changes))

    def built(self, changes: Sequence[RegisterChange]) -> dict[int, str]:
        """Records that cannot be taken back, and why. Raises RegisterFault."""
        ask = self.register.built
        if not changes or ask is None:
            return {}
        return self._call("built", lambda: _reasons(changes, ask(self.uow, changes)))

    def blame(self, what: str, line: str) -> NoReturn:
        """Raises RegisterFault for something that the functions did otherwise than they said."""
        raise self._fault(what, Nonsense(line))

    def _call(self, what: str, call: Callable[[], T]) -> T:
        whose = self.contributor
        with self.uow.scoped(self.scope):
            if whose.core:
                return call()
            hook, seconds = f"imports:{self.register.key}:{what}", _LONGER * allowed()
            try:
                with timed(whose.key, hook), self.uow.lent(seconds):
                    return limited(call, seconds)
            except _ENDS:
                raise
            except BaseException as error:
                if is_away(error):
                    raise
                raise self._fault(what, error, seconds) from error

    def _fault(self, what: str, error: BaseException, seconds: float | None = None) -> RegisterFault:
        whose = self.contributor
        if not whose.core:
            hook = f"imports:{self.register.key}:{what}"
            record_fault(self.uow, whose.key, hook, error, near=folder_of(whose), seconds=seconds)
        label = whose.manifest.label if whose.manifest is not None else whose.key
        told = isinstance(error, XiangyueError) and error.message
        return RegisterFault(self.register, label, str(told or type(error).__name__))


def _void(function: Callable[..., Any], uow: Uow, rows: Sequence[Any]) -> None:
    answer = function(uow, rows)
    if answer is not None:
        raise Nonsense(f"answered {type(answer).__name__}, not None")


def _reasons(changes: Sequence[RegisterChange], answer: Any) -> dict[int, str]:
    asked = {change.record for change in changes}
    if not isinstance(answer, Mapping) or not set(answer) <= asked:
        raise Nonsense("answered something else than reasons by record")
    if not all(isinstance(reason, str | LazyText) and str(reason).strip() for reason in answer.values()):
        raise Nonsense("a reason is no text")
    return {record: str(reason)[:_MOST_WORDS] for record, reason in answer.items()}


def _outlooks(register: ImportRegister, rows: Sequence[RegisterRow], answer: Any) -> list[RowOutlook]:
    """The answer of a check in the order of the rows. Raises Nonsense."""
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise Nonsense(f"answered {type(answer).__name__}, not outlooks")
    by_row: dict[int, RowOutlook] = {}
    for one in answer:
        if not isinstance(one, RowOutlook):
            raise Nonsense(f"answered {type(one).__name__}, not RowOutlook")
        if wrong := problem_of(one) or _odd(register, one):
            raise Nonsense(f"row {one.row}: {wrong}")
        if by_row.setdefault(one.row, one) is not one:
            raise Nonsense(f"row {one.row} is answered twice")
    wanted = [row.number for row in rows]
    if set(wanted) != set(by_row):
        raise Nonsense(f"{len(by_row)} outlooks for {len(wanted)} rows")
    return [by_row[number] for number in wanted]


def _odd(register: ImportRegister, one: RowOutlook) -> str:
    """What no annotation can say of an outlook."""
    for side in (one.before, one.after):
        for key, value in side.items():
            if register.column(key) is None:
                return f"{key!r} is no column"
            if not isinstance(value, _VALUES):
                return f"{key!r} is a {type(value).__name__}"
    for fault in one.faults:
        if register.column(fault.column) is None:
            return f"{fault.column!r} is no column"
        if not isinstance(fault.message, str | LazyText) or not str(fault.message).strip():
            return "a fault says nothing"
    return ""


def cell_errors(register: ImportRegister, outlook: RowOutlook) -> list[CellError]:
    """What is wrong with a row in the register's own words, at the cells of the file."""
    return [_cell_error(register, outlook.row, fault) for fault in outlook.faults]


def _cell_error(register: ImportRegister, row_no: int, fault: CellFault) -> CellError:
    column = register.column(fault.column)
    assert column is not None  # `_odd`
    message: Any = fault.message
    values: dict[str, Any] = {}
    if isinstance(message, LazyText):
        # Kept as it is written: it is said in the language of whoever reads it.
        message, values = message.message, {name: _word(value) for name, value in message.values.items()}
    params = {"message": str(message)[:_MOST_WORDS], "values": values}
    key = SPEAKS.get(column.kind, column.key)
    return CellError(row_no, key, TOLD, params, "", fault.suggestion[:SHOWN_LENGTH])


def _word(value: Any) -> Any:
    return value if isinstance(value, int | float) else str(value)


def chunks(items: Sequence[T], size: int = CHUNK) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


__all__ = ["CHUNK", "Hand", "RegisterFault", "cell_errors", "chunks"]
