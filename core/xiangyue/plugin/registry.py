"""What ``register_*`` hooks return: frozen dataclasses, never HTML.

A callable that takes ``uow`` runs inside the reader's tenant, area and rights. One of a plugin runs in a savepoint and
within a time limit (``plugin.dispatch``): what it raises is shown on the plugins page, and the page goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow

#: Groups of the left navigation, by work and not by module, in order: (key, English label).
NAV_GROUPS = ("today", "people", "grids", "contact", "points", "cockpit", "settings")


@dataclass(frozen=True, slots=True)
class NavItem:
    """A line of the navigation. ``endpoint`` is a Flask endpoint; shown to those who have ``permission``.

    ``tab`` puts it on the phone's bottom tabs; ``site`` county or operator; ``position`` orders within the group.
    ``needs``: a kind of registration, like ``classifiers``; the line is there only where the county has any of it.
    """

    key: str
    label: Any
    endpoint: str
    permission: Permission | None
    group: str
    icon: str
    position: int = 50
    site: str = "county"
    tab: bool = False
    #: The round button in the middle of the phone's tabs.
    main: bool = False
    #: Whether the count is of things that are late (shown in red).
    late: bool = False
    count: Callable[[Uow], int | None] | None = None
    needs: str = ""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A line of the work list (待办): what is owed, where, by when, and the one act."""

    title: Any
    detail: Any
    url: str
    act: Any
    due: Any = ""
    state: str = ""  # "", soon, late


@dataclass(frozen=True, slots=True)
class WorkProvider:
    """Finds the work items of the actor."""

    key: str
    find: Callable[[Uow], list[WorkItem]]


@dataclass(frozen=True, slots=True)
class PanelView:
    """What a panel or a card shows: a template of the plugin's own folder, with its context."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HouseholdPanel:
    """A panel (栏) of the household page, for those who have ``permission`` at the household.

    ``build(uow, household_id)`` returns what to show, or None where there is nothing to say.
    """

    key: str
    label: Any
    permission: Permission | None
    build: Callable[[Uow, int], PanelView | None]
    position: int = 50


@dataclass(frozen=True, slots=True)
class PersonPanel:
    """A panel of a person's page, for those who have ``permission`` at the person's household.

    ``build(uow, person_id)`` returns what to show, or None where there is nothing to say.
    """

    key: str
    label: Any
    permission: Permission | None
    build: Callable[[Uow, int], PanelView | None]
    position: int = 50


@dataclass(frozen=True, slots=True)
class HouseholdFilter:
    """A condition of the household list: query parameter ``key`` (a plugin's begins with its name and ``_``).

    ``choices(uow)``: (value, label) pairs. ``condition(uow, value)``: SQL and its parameters, on the household ``h``;
    every tenant-owned table in it has ``{tenant:alias}`` (see ``scoped_sql``), every parameter begins with ``key``, and
    there are no other braces, comments, semicolons or quoted names (``plugin.conditions``). A value that is none of the
    choices is refused before ``condition`` is asked. Where the reader has not ``permission``, no household fits.
    """

    key: str
    label: Any
    permission: Permission | None
    choices: Callable[[Uow], Sequence[tuple[str, Any]]]
    condition: Callable[[Uow, str], tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class HouseholdColumn:
    """A column of the household list, its export and the API (``fields=<key>``). ``values(uow, ids)``: text by
    household id, for a whole page at once; ``ids`` are those where the reader has ``permission``. ``present(uow)``
    says whether the county has anything for it; None: always."""

    key: str
    label: Any
    permission: Permission | None
    values: Callable[[Uow, Sequence[int]], Mapping[int, Any]]
    present: Callable[[Uow], bool] | None = None


@dataclass(frozen=True, slots=True)
class DashboardCard:
    """A card of the cockpit (驾驶舱). ``build(uow, area)``: ``area`` is 15 digits, 0 for all the reader may see."""

    key: str
    label: Any
    permission: Permission | None
    build: Callable[[Uow, int], PanelView | None]
    position: int = 50


@dataclass(frozen=True, slots=True)
class SearchHit:
    title: str
    detail: Any
    url: str


@dataclass(frozen=True, slots=True)
class SearchKind:
    """Another kind of thing that the search box finds. ``find(uow, q, limit)`` answers best first."""

    key: str
    label: Any
    permission: Permission | None
    find: Callable[[Uow, str, int], Sequence[SearchHit]]


Write = TypeVar("Write", bound=Callable[..., None])


def kept_by_core(apply: Write) -> Write:
    """Mark the writer of an import column that writes by services of the core only (`record_awards`): an undo of the
    import takes it back by itself."""
    apply.kept_by_core = True  # type: ignore[attr-defined]
    return apply


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column of the roster (花名册).

    ``kind``: text, integer, money (yuan), year, date, boolean. ``entity``: household (its value stands in the head's
    row) or person. ``names`` are the headers in Chinese and English, ``aliases`` other headings that counties use.
    ``apply(uow, values)`` writes what came, (owner's id, value) for each filled cell, for all rows at once and in the
    import's transaction; what it raises ends the import with nothing written. An import of which a column has
    taken something can be undone only if its writer is marked `kept_by_core`.
    """

    key: str
    names: tuple[str, str]
    kind: str
    apply: Callable[[Uow, Sequence[tuple[int, Any]]], None]
    entity: str = "household"
    help: Any = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    width: int = 12


@dataclass(frozen=True, slots=True, eq=False)
class Follows:
    """Rows that hang on a person or household, and which of them go along when another takes its place.

    ``of``: person or household; ``model``: their table's class; ``column``: its column with the owner's id. ``where``:
    which rows of the table these are, None for all. When two records of the same one are merged, all rows go to the
    one that stays; when a household succeeds another (split, merged families), only those that are ``open`` (None:
    none is). ``unique``: columns of which an owner has each combination once (``column`` itself: one row at most);
    where both owners have it, the survivor's row stays and the other stays with the closed record. ``household``: of
    rows of a person, the column with the household, kept in step. ``area_code`` is kept in step by itself.

    ``erase``: what becomes of a person's rows when the person is erased (PIPL article 47), also while the plugin is
    off: None deletes them, values by column are put in place of what says who it was, {} leaves them as they are
    because a law demands it. Open ones stand against the erasure.

    ``own_place``: ``area_code`` is not that of the owner but of what the row is about, and stays.
    """

    key: str
    label: Any
    of: str
    model: type
    column: str
    open: ColumnElement[bool] | None = None
    unique: tuple[str, ...] = ()
    where: ColumnElement[bool] | None = None
    household: str = ""
    erase: Mapping[str, Any] | None = None
    own_place: bool = False


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of background job: ``run(context)`` does it; ``result_url(job)`` leads to its result, ``result_text(job)``
    says in a sentence what came of it.

    ``ended(uow, job)`` is called in the transaction that ends a job as failed or cancelled, so that what it worked on
    is let go of; it must not fail.
    """

    key: str
    label: Any
    run: Callable[[Any], dict[str, Any] | None]
    permission: Permission | None = None
    result_url: Callable[[Any], str | None] | None = None
    max_attempts: int = 3
    ended: Callable[[Uow, Any], None] | None = None
    result_text: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Recurring work: every ``every_seconds`` a job of ``job_kind`` in each active tenant."""

    key: str
    job_kind: str
    every_seconds: int


@dataclass(frozen=True, slots=True)
class ProfileSection:
    """A part of a county profile that a feature applies.

    ``apply(uow, profile, registry)`` makes the county's rows what the profile says and returns the changes (lines with
    ``verb``, ``what``, ``before``, ``after``); nothing to do returns nothing. A plan is an apply rolled back.
    """

    key: str
    position: int
    apply: Callable[[Uow, Any, Any], list[Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a classification may come to. ``tone``: green, yellow, red, blue, grey (a token of the theme, always shown
    with the label). ``undetermined`` (待定): the rule leaves it open or data are missing; a person decides."""

    key: str
    label: Any
    tone: str = "grey"
    undetermined: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """What a rule rests on: ``source`` (文号 and place in it) and its words, both as published."""

    key: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class RuleWarning:
    """What a rule of a plugin has against an act without preventing it: ``text`` (lazy, so that it is kept in both
    languages) and ``source``, the document and place as published. Whoever acts gives a reason, which stays with it."""

    text: Any
    source: str


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it holds from a day on; decisions keep the version they were made under."""

    key: str
    valid_from: date
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """Something a classifier looks at, by its key in the stored inputs. ``kind``: money, number, boolean, text, list,
    years. With ``permission`` it is a ground that only those who have it ever see. ``words``: what is shown for stored
    values of the kind text, which are keys then."""

    key: str
    label: Any
    kind: str = "text"
    permission: Permission | None = None
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A confirmation that a proposal needs, in order (村评, 镇审)."""

    key: str
    label: Any
    permission: Permission


@dataclass(frozen=True, slots=True)
class Proposals:
    """A SELECT for ``scoped_sql`` with columns ``household_id, outcome, clause, inputs`` (text, text, jsonb) over the
    households ``h`` of ``{scope:h}``, and its parameters."""

    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classification by rule (分类): the core computes, keeps inputs and reason, and runs confirmation and review.

    ``key`` is ``<plugin>.<noun>``. ``propose(uow, on)`` gives the statement for the day ``on``. ``permission`` lets
    one see outcomes. ``valid_months`` after the last confirmation a decision is due for review. ``own_places``: its
    plugin brings panel, condition, column and card of its own, so that it is left out of those for all classifications.
    """

    key: str
    label: Any
    permission: Permission
    outcomes: tuple[Outcome, ...]
    inputs: tuple[Input, ...]
    versions: tuple[RuleVersion, ...]
    steps: tuple[Step, ...]
    propose: Callable[[Uow, date], Proposals]
    valid_months: int = 12
    review_months: Callable[[Uow], int] | None = None
    own_places: bool = False
