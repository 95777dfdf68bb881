"""The state of a list page: columns, filters, sorting and paging, all of it in the URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number

#: Numbers are 64 bits wide in PostgreSQL.
MOST = 2**63 - 1

Choice = tuple[Any, Any]
"""(value, label), or (group label, [(value, label), …]) in a select."""


@dataclass(frozen=True)
class Column:
    """One column of a list. ``primary`` heads the card on a phone; ``default=False`` waits in the chooser."""

    key: str
    label: Any
    sort: bool = False
    numeric: bool = False
    primary: bool = False
    default: bool = True


@dataclass(frozen=True)
class Filter:
    """One filter above a list; its name is its parameter in the URL."""

    name: str
    label: Any
    kind: Literal["choice", "text", "date", "number", "decimal"] = "choice"
    choices: Sequence[Choice] = ()
    placeholder: Any = ""
    data: bool = False
    """Choice labels are Chinese data (areas, names), marked so on an English page."""
    more: bool = False
    """Waits under "+ Condition" until it is used."""
    open: bool = False
    """Takes other values than its choices too."""

    def problem(self, value: str) -> Any:
        """Why a value of the address cannot be used; None when it can."""
        if self.kind == "date":
            try:
                date.fromisoformat(value)
            except ValueError:
                return _l("“%(value)s” is not a date. Write it as 2026-11-21.", value=value)
        elif self.kind == "number":
            number = whole_number(value.removeprefix("-"))
            if number is None or number > MOST:
                return _l("“%(value)s” is not a whole number.", value=value)
        elif self.kind == "choice" and not self.open and value not in _values(self.choices):
            return _l("“%(value)s” is not one of the choices.", value=value)
        return None


def _values(choices: Sequence[Choice]) -> set[str]:
    """What the options of a select send, those in groups too."""
    found: set[str] = set()
    for value, label in choices:
        found |= _values(label) if isinstance(label, list | tuple) else {str(value)}
    return found


@dataclass(frozen=True)
class FilterChip:
    """A filter that is on: what it says and the address without it."""

    label: Any
    value: Any
    url: str


@dataclass(frozen=True)
class BulkAction:
    """What may be done to the selected rows: a POST with the row ids under the list's ``select_name``."""

    label: Any
    url: str
    kind: Literal["default", "primary", "danger"] = "default"
    confirm: Any = None


@dataclass(frozen=True)
class ViewTab:
    """A saved view in the strip above a list; ``data``: its name is somebody's own words."""

    label: Any
    url: str
    active: bool
    data: bool = True


@dataclass(frozen=True)
class SaveView:
    """How to keep what a list shows: a POST of ``list``, ``query``, ``area`` and a name to ``url``."""

    url: str
    list: str
    query: str
    area: str = ""
    area_name: Any = ""
    may_share: bool = False
    manage_url: str | None = None


def never(_value: str) -> bool:
    return False


def read_args(args: Any) -> dict[str, list[str]]:
    """The query as name -> values, from Flask's MultiDict or a plain mapping; blank values are dropped."""
    if hasattr(args, "lists"):
        pairs = list(args.lists())
    else:
        pairs = [(k, [v] if isinstance(v, str) else list(v)) for k, v in args.items()]
    kept = {k: [v.strip() for v in values if v.strip()] for k, values in pairs}
    return {k: values for k, values in kept.items() if values}


@dataclass(frozen=True)
class ListView:
    """The state of a list as its URL says it, and the addresses of every neighbouring state.

    Reserved parameters: ``sort`` (``name`` or ``-name``), ``cols`` (comma list), ``after`` / ``before``
    (keyset cursors). Everything else in the URL stays as it is, so the area and saved views survive sorting
    and paging.
    """

    columns: Sequence[Column]
    args: Any
    path: str
    filters: Sequence[Filter] = ()
    default_sort: str = ""
    count: int | None = None
    count_text: Any = ""
    shown: int | None = None
    next_cursor: str | None = None
    back_cursor: str | None = None
    export_url: str | None = None
    select_name: str | None = None
    #: Where the filter form is sent by POST; its answer leads to the address of the list. For lists whose conditions
    #: may hold what must not stand in an address. Otherwise the form is a plain GET.
    post_url: str | None = None
    #: Says of a value that it is a seal standing for one that must not be shown.
    is_seal: Callable[[str], bool] = never
    page_size: int = 50
    views: Sequence[ViewTab] = ()
    save: SaveView | None = None
    query: dict[str, list[str]] = field(init=False)

    RESERVED = ("sort", "cols", "after", "before")

    def __post_init__(self) -> None:
        object.__setattr__(self, "query", read_args(self.args))

    # What the URL asks for.

    def value(self, name: str) -> str:
        """The first value of a parameter, or ""."""
        return next(iter(self.query.get(name, [])), "")

    def values(self, name: str) -> list[str]:
        return self.query.get(name, [])

    @property
    def sort(self) -> tuple[str, bool]:
        """(column key, descending). Unknown or unsortable columns fall back to the default."""
        asked = self.value("sort") or self.default_sort
        key, descending = asked.removeprefix("-"), asked.startswith("-")
        if any(c.key == key and c.sort for c in self.columns):
            return key, descending
        return self.default_sort.removeprefix("-"), self.default_sort.startswith("-")

    @property
    def cursor(self) -> tuple[str, str] | tuple[None, None]:
        """("after" | "before", cursor), or (None, None) on the first page."""
        for direction in ("after", "before"):
            if value := self.value(direction):
                return direction, value
        return None, None

    @property
    def order(self) -> str:
        """``sort`` in one word, as queries take it: the key, after a minus when descending."""
        key, descending = self.sort
        return f"-{key}" if descending else key

    @property
    def after(self) -> str | None:
        """The cursor after which the page begins, if it is asked for so."""
        direction, cursor = self.cursor
        return cursor if direction == "after" else None

    @property
    def before(self) -> str | None:
        """The cursor before which the page ends, if it is asked for so."""
        direction, cursor = self.cursor
        return cursor if direction == "before" else None

    @property
    def visible(self) -> list[Column]:
        """The columns to show: the chosen ones in the list's own order; the headline always."""
        chosen = {part for value in self.values("cols") for part in value.split(",")}
        if not chosen & {c.key for c in self.columns}:
            return [c for c in self.columns if c.default or c.primary]
        return [c for c in self.columns if c.key in chosen or c.primary]

    @property
    def filter_names(self) -> list[str]:
        return [f.name for f in self.filters]

    @property
    def active_names(self) -> list[str]:
        """Names of the filters that are on."""
        return [f.name for f in self.filters if self.value(f.name)]

    @property
    def filtered(self) -> bool:
        return bool(self.active_names)

    @property
    def chips(self) -> list[FilterChip]:
        found = []
        for spec in self.filters:
            labels = {str(value): label for value, label in spec.choices}
            values = self.values(spec.name)
            for value in values:
                rest = [v for v in values if v != value]
                url = self.url(**{spec.name: rest or None, "after": None, "before": None})
                shown = _l("given in full; not shown") if self.is_seal(value) else labels.get(value, value)
                found.append(FilterChip(spec.label, shown, url))
        return found

    @property
    def problems(self) -> list[tuple[Filter, Any]]:
        """Filters whose values cannot be used, and why."""
        found = [
            (f, f.problem(value)) for f in self.filters for value in self.values(f.name) if not self.is_seal(value)
        ]
        return [(spec, why) for spec, why in found if why is not None]

    def sealed(self, name: str) -> bool:
        """Whether a filter's value stands for one that is not shown."""
        return self.is_seal(self.value(name))

    # Addresses of the neighbouring states.

    def url(self, base: str | None = None, /, **changes: Any) -> str:
        """This list with parameters changed; None or "" takes one out. ``base`` is another path."""
        query: dict[str, Any] = {**self.query, **changes}
        left = {k: v for k, v in query.items() if v not in (None, "", [])}
        encoded = urlencode(left, doseq=True)
        path = self.path if base is None else base
        return f"{path}?{encoded}" if encoded else path

    def sort_url(self, key: str) -> str:
        current, descending = self.sort
        wanted = f"-{key}" if key == current and not descending else key
        return self.url(sort=wanted, after=None, before=None)

    def sort_state(self, key: str) -> str:
        """What ``aria-sort`` says."""
        current, descending = self.sort
        if key != current:
            return "none"
        return "descending" if descending else "ascending"

    @property
    def next_url(self) -> str | None:
        return self.url(after=self.next_cursor, before=None) if self.next_cursor else None

    @property
    def back_url(self) -> str | None:
        return self.url(before=self.back_cursor, after=None) if self.back_cursor else None

    @property
    def clear_url(self) -> str:
        return self.url(**{f.name: None for f in self.filters}, after=None, before=None)

    @property
    def export_link(self) -> str | None:
        """The export of exactly what is shown: same filters, sort and columns, without the page."""
        return self.url(self.export_url, after=None, before=None) if self.export_url else None

    def carried(self, *without: str) -> list[tuple[str, str]]:
        """Parameters a filter form keeps as hidden fields: all but its own (``without``) and the page."""
        drop = {*without, "after", "before"}
        return [(k, v) for k, values in self.query.items() if k not in drop for v in values]
