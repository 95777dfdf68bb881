"""Conditions and columns of the list of households that come from elsewhere: other features and the county's plugins.

Each is asked by itself. A page goes on without one that fails and says so; the API and the export refuse, because what
they hand out must be what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, XiangyueError
from xiangyue.features.households.filters import HouseholdFilter, Offered
from xiangyue.features.households.listing import within
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.conditions import checked_condition
from xiangyue.plugin.dispatch import guarded
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import HouseholdColumn
from xiangyue.plugin.registry import HouseholdFilter as Filter
from xiangyue.runtime import offer_of, runtime_of

T = TypeVar("T")
Choices = list[tuple[str, str]]

#: What stands for the answer of one that failed.
_FAILED: Final = object()
_FILTERS, _COLUMNS = "household_filters", "household_columns"
#: Longest text of a column's cell that is shown.
_LONGEST = 500
NO_CONDITION: Final = _l("This condition does not exist here, or is not open to you.")


class PluginFailed(Conflict):
    """What was asked for cannot be given, because a plugin failed."""

    code = "plugin_failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """``what``: label of the condition or column; ``plugin``: label of whose it is; ``condition``: which of both."""

    what: Any
    plugin: Any
    condition: bool

    @property
    def said(self) -> Any:
        """For a page, which goes on without it."""
        if self.condition:
            return _l(
                "The plugin “%(plugin)s” failed at the condition “%(what)s”. The list is shown without it.",
                plugin=self.plugin,
                what=self.what,
            )
        return _l(
            "The plugin “%(plugin)s” failed at the column “%(what)s”. It stays empty.",
            plugin=self.plugin,
            what=self.what,
        )

    @property
    def error(self) -> PluginFailed:
        """For the API and exports, which do not."""
        return PluginFailed(
            _l(
                "The plugin “%(plugin)s” failed at “%(what)s”. Leave that out, or try again later.",
                plugin=self.plugin,
                what=self.what,
            )
        )


@dataclass(slots=True)
class Asked:
    """What a request asks of offered conditions: those to apply, choices by condition (all of them for a page's filter
    bar), what is wrong with the request by parameter, and what failed."""

    conditions: list[Offered] = field(default_factory=list)
    choices: list[tuple[Filter, Choices]] = field(default_factory=list)
    problems: dict[str, list[Any]] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)


def _whose(contributor: Contributor) -> Any:
    return contributor.manifest.label if contributor.manifest is not None else contributor.key


def _may(uow: Uow, item: Any) -> bool:
    return item.permission is None or uow.actor.can(item.permission)


def takes(uow: Uow, name: str) -> bool:
    """Whether a parameter is a condition that the reader has here."""
    return any(item.key == name and _may(uow, item) for _c, item in offer_of(uow).each(_FILTERS))


def asked_conditions(uow: Uow, args: Mapping[str, Any], *, bar: bool = False) -> Asked:
    """Read the conditions from a request's parameters; ``bar``: with the choices of all, for the filter bar."""
    found = Asked()
    here = set()
    for contributor, item in offer_of(uow).each(_FILTERS):
        if not _may(uow, item):
            continue
        here.add(item.key)
        value = str(args.get(item.key) or "").strip()
        if not value and not bar:
            continue
        made = guarded(uow, contributor, f"{_FILTERS}:{item.key}", partial(_read, uow, item, value), default=_FAILED)
        if made is _FAILED:
            if value:
                found.failed.append(Failure(item.label, _whose(contributor), True))
            continue
        choices, condition = made
        if choices:  # a condition without anything to choose from is none
            found.choices.append((item, choices))
        if condition is not None:
            found.conditions.append(_limited(uow, contributor, item, *condition))
        elif value:
            found.problems[item.key] = [_l("Choose one of the options.")]
    # The API takes no parameter that it does not know; the address of a page may be an old one.
    for name in _elsewhere(uow) & set(args) - here if bar else ():
        if str(args.get(name) or "").strip():
            found.problems[name] = [NO_CONDITION]
    return found


def _read(uow: Uow, item: Filter, value: str) -> tuple[Choices, tuple[str, dict[str, Any]] | None]:
    choices = [(str(key), str(label)) for key, label in item.choices(uow)]
    if not value or value not in {key for key, _label in choices}:
        return choices, None
    return choices, checked_condition(item.key, item.condition(uow, value))


def _limited(uow: Uow, contributor: Contributor, item: Filter, sql: str, params: dict[str, Any]) -> Offered:
    """Where the reader has not the condition's right, no household fits it, whatever it says."""
    ranges = None if item.permission is None else uow.actor.ranges(item.permission)
    place = within("h", ranges, f"{item.key}_reach", params)
    return Offered(item.key, item.label, contributor, f"({sql}) AND {place}", params)


def _elsewhere(uow: Uow) -> set[str]:
    """Conditions of all that is installed: an address that was kept may name one that was on when it was made."""
    runtime = runtime_of(uow)
    return set() if runtime is None else {item.key for _c, item in runtime.registry.each(_FILTERS)}


def run(
    uow: Uow, wanted: HouseholdFilter, read: Callable[[HouseholdFilter], T]
) -> tuple[T, HouseholdFilter, list[Failure]]:
    """Read under the offered conditions of ``wanted``: (answer, the filter it is of, what failed).

    Only the database can say whether a condition's SQL is right, so the reading itself is guarded, one plugin's
    condition more at a time: the last one added is to blame.
    """
    if not wanted.offered:
        return read(wanted), wanted, []
    kept = replace(wanted, offered=tuple(c for c in wanted.offered if c.contributor.core))
    failed: list[Failure] = []
    answer: Any = _FAILED
    for condition in wanted.offered:
        if condition.contributor.core:
            continue
        tried = replace(kept, offered=(*kept.offered, condition))
        hook = f"{_FILTERS}:{condition.key}"
        made = guarded(uow, condition.contributor, hook, partial(_outcome, read, tried), default=_FAILED)
        if made is _FAILED:
            failed.append(Failure(condition.label, _whose(condition.contributor), True))
        else:
            kept, answer = tried, made
    if answer is _FAILED:
        return read(kept), kept, failed
    if isinstance(answer, XiangyueError):
        raise answer
    return answer, kept, failed


def _outcome(read: Callable[[HouseholdFilter], T], wanted: HouseholdFilter) -> T | XiangyueError:
    """What the reader of the list did wrong (a cursor of another order) is no fault of the plugin."""
    try:
        return read(wanted)
    except XiangyueError as error:
        return error


def run_strictly(uow: Uow, wanted: HouseholdFilter, read: Callable[[HouseholdFilter], T]) -> T:
    """The same for what leaves the house. Raises PluginFailed."""
    answer, _kept, failed = run(uow, wanted, read)
    refuse(failed)
    return answer


def refuse(failed: Iterable[Failure]) -> None:
    """Raises PluginFailed for the first failure."""
    for failure in failed:
        raise failure.error


def offered_columns(uow: Uow) -> list[tuple[Contributor, HouseholdColumn]]:
    """The columns that the reader has here."""
    return [
        (contributor, item)
        for contributor, item in offer_of(uow).each(_COLUMNS)
        if _may(uow, item) and _present(uow, contributor, item)
    ]


def _present(uow: Uow, contributor: Contributor, item: HouseholdColumn) -> bool:
    if item.present is None:
        return True
    return bool(guarded(uow, contributor, f"{_COLUMNS}:{item.key}", partial(item.present, uow), default=False))


def fill(
    uow: Uow, items: Sequence[dict[str, Any]], columns: Iterable[tuple[Contributor, HouseholdColumn]]
) -> list[Failure]:
    """Put the columns' texts into the rows (which have id and area_code), each column's for all rows at once; where the
    reader has not the column's right, it is empty. Returns what failed; its column is empty too."""
    failed = []
    for contributor, item in columns:
        scope = uow.scope if item.permission is None else uow.scope.within(uow.actor.scope(item.permission))
        ids = [row["id"] for row in items if scope.contains(row["area_code"])]
        texts: Any = {}
        if ids:
            with uow.scoped(scope):
                call = partial(_texts, uow, item, ids, contributor.core)
                texts = guarded(uow, contributor, f"{_COLUMNS}:{item.key}", call, default=_FAILED)
        if texts is _FAILED:
            failed.append(Failure(item.label, _whose(contributor), False))
            texts = {}
        for row in items:
            row[item.key] = texts.get(row["id"], "")
    return failed


def _texts(uow: Uow, item: HouseholdColumn, ids: list[int], core: bool) -> dict[int, str]:
    found = item.values(uow, ids)
    if not isinstance(found, Mapping):
        raise TypeError(f"{item.key}: values() returned {type(found).__name__}, not a mapping")
    known = {id: found[id] for id in ids if found.get(id) is not None}
    # The core's own texts may know how they are drawn in a page; of a plugin comes text, whatever it says of itself.
    return {id: t if _drawn(t, core) else str(t)[:_LONGEST] for id, t in known.items()}


_DRAWN: set[type] = set()


def _drawn(text: Any, core: bool) -> bool:
    return type(text) in _DRAWN or (core and isinstance(text, str))


def draws_itself(kind: type[T]) -> type[T]:
    """Mark a kind of text of the core that is drawn in a page by itself, also where a plugin hands it on."""
    _DRAWN.add(kind)
    return kind
