"""What pages hand to the component macros in ``templates/components``: small frozen values, no HTML.

Labels are text or lazy text (``_l``); they are shown escaped. The macros say in their first lines how
they look. The list of records is in ``listview.py`` and passed on here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from xiangyue.web.listview import BulkAction, Choice, Column, Filter, FilterChip, ListView, SaveView, ViewTab
from xiangyue.web.merge import opened_json

__all__ = [
    "BulkAction",
    "Chart",
    "ChipKind",
    "Choice",
    "Column",
    "ConflictRow",
    "Filter",
    "FilterChip",
    "FormView",
    "JobCard",
    "JobState",
    "ListView",
    "SaveView",
    "Series",
    "Step",
    "TimelineItem",
    "ViewTab",
]


ChipKind = Literal["green", "yellow", "red", "blue", "grey", "undetermined", "neutral", "sensitive"]


# --- forms -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConflictRow:
    """One field of a lost update: what I typed beside what stands now."""

    field: str
    label: Any
    mine: Any
    theirs: Any
    data: bool = True
    #: What the field gets when theirs is taken, where that is not the text shown (a code and its label).
    take: Any = None


@dataclass(frozen=True)
class FormView:
    """A form as it is shown: where it goes, what stands in its fields, what is wrong with it.

    ``values`` are the object's values at first and what was typed after an error. ``errors`` is
    ``Invalid.fields``: field path -> messages, "" for the form as a whole. ``draft`` names the browser's
    draft (kept until the form is saved). ``version`` and ``client_id`` travel as hidden fields.
    """

    action: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    version: int | str | None = None
    client_id: str | None = None
    draft: str | None = None
    conflict: Sequence[ConflictRow] = ()
    cancel_url: str | None = None
    reload_url: str | None = None
    multipart: bool = False
    id: str = "form"
    labels: dict[str, Any] = field(default_factory=dict, init=False, compare=False)
    #: What stood in the fields when the form was opened; see ``merge``.
    opened: Mapping[str, Any] | None = None
    #: The values answer what was typed (a suggestion, a preview): they count more than the browser's draft.
    answered: bool = False

    def note(self, name: str, label: Any) -> str:
        """Remember a field's label while it is drawn, so the summary at the top can name and link it."""
        self.labels[name] = label
        return ""

    def value(self, name: str, default: Any = "") -> Any:
        found = self.values.get(name, default)
        return default if found is None else found

    def listed(self, name: str) -> list[str]:
        """All values of a field as strings (check boxes): from a MultiDict, a list or one value."""
        if hasattr(self.values, "getlist"):
            return [str(v) for v in self.values.getlist(name)]
        found = self.values.get(name)
        if found is None or found == "":
            return []
        if isinstance(found, (list, tuple, set, frozenset)):
            return [str(v) for v in found]
        return [str(found)]

    @property
    def opened_json(self) -> str:
        return opened_json(self.opened or {})

    def error(self, name: str) -> Sequence[Any]:
        return self.errors.get(name, ())

    def field_id(self, name: str) -> str:
        return f"{self.id}-{name}".replace(".", "-")

    @property
    def problems(self) -> list[tuple[str, Any, Sequence[Any]]]:
        """(id to jump to or "", label or "", messages) in the order the fields stand, then the rest."""
        known = [(self.field_id(n), lab, self.errors[n]) for n, lab in self.labels.items() if self.errors.get(n)]
        rest = [("", name, msgs) for name, msgs in self.errors.items() if msgs and name not in self.labels]
        return known + rest


# --- the rest --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One step of a wizard; ``url`` lets the user go back to it."""

    label: Any
    url: str | None = None


@dataclass(frozen=True)
class TimelineItem:
    head: Any
    text: Any = ""
    meta: Any = ""
    when: date | datetime | None = None
    url: str | None = None


JobState = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class JobCard:
    """Long work as the user sees it. ``url`` is a GET whose answer contains the card again, for polling."""

    id: int | str
    title: Any
    state: JobState
    url: str
    done: int | None = None
    total: int | None = None
    doing: Any = ""
    error: Any = ""
    cancel_url: str | None = None
    result_url: str | None = None
    result_label: Any = None
    result_text: Any = None
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def final(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    @property
    def percent(self) -> int | None:
        if self.state == "done":
            return 100
        if not self.total or self.done is None:
            return None
        return min(100, self.done * 100 // self.total)


@dataclass(frozen=True)
class Series:
    name: Any
    values: Sequence[int | float | None]


@dataclass(frozen=True)
class Chart:
    """A bar or line chart with its table. ``category_urls`` are the way down to the rows behind each bar."""

    id: str
    title: Any
    categories: Sequence[Any]
    series: Sequence[Series]
    kind: Literal["bar", "line"] = "bar"
    unit: Any = ""
    category_label: Any = ""
    horizontal: bool = False
    stacked: bool = False
    data_labels: bool = True
    category_urls: Sequence[str] = ()

    @property
    def payload(self) -> dict[str, Any]:
        """What the script draws from."""
        return {
            "title": str(self.title),
            "kind": self.kind,
            "unit": str(self.unit),
            "horizontal": self.horizontal,
            "stacked": self.stacked,
            "categories": [str(c) for c in self.categories],
            "series": [{"name": str(s.name), "values": list(s.values)} for s in self.series],
            "urls": list(self.category_urls),
        }
