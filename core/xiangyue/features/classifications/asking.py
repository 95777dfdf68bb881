"""Asking a rule: its plugin's code and statement run, and what is wrong with them stands on the plugins page."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from typing import Any

from xiangyue.db.sql import UnscopedSql, scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.errors import Refused, XiangyueError
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.blame import is_away, is_timeout
from xiangyue.plugin.conditions import BadCondition, checked_select
from xiangyue.plugin.dispatch import folder_of, guarded
from xiangyue.plugin.faults import Nonsense, record_fault
from xiangyue.plugin.limits import allowed_at_length
from xiangyue.plugin.metrics import timed
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import Classifier, Proposals
from xiangyue.runtime import offer_of

_FAILED = object()


def ask_rule(uow: Uow, classifier: Classifier, on: date) -> Proposals:
    """The statement that a rule gives for a day. Raises XiangyueError when it gives none that can be used."""
    owner, raised = _owner(uow, classifier), list[BaseException]()

    def ask() -> Proposals:
        try:
            return _usable(classifier, classifier.propose(uow, on))
        except BaseException as error:
            raised.append(error)
            raise

    if owner is None or owner.core:
        try:
            return ask()
        except (Nonsense, UnscopedSql) as error:
            raise _failed(classifier, type(error).__name__) from error
    hook = f"classifiers:{classifier.key}:propose"
    made = guarded(uow, owner, hook, ask, default=_FAILED, seconds=allowed_at_length())
    if isinstance(made, Proposals):
        return made
    if not raised:
        raise _failed(classifier, "OutOfTime")  # it rests, after it ran out of time
    if isinstance(raised[0], XiangyueError) and not isinstance(raised[0], Refused):
        raise raised[0]  # in its own words
    raise _failed(classifier, type(getattr(raised[0], "orig", None) or raised[0]).__name__) from raised[0]


def _usable(classifier: Classifier, made: Any) -> Proposals:
    if not isinstance(made, Proposals):
        raise Nonsense(f"answered {type(made).__name__}, not Proposals")
    if not (isinstance(made.sql, str) and isinstance(made.params, Mapping)):
        raise Nonsense("its statement is no text, or its parameters no mapping")
    try:
        checked_select(made.sql)
    except BadCondition as error:
        raise Nonsense(f"its statement: {error}") from error
    if "{scope:" not in made.sql:
        raise UnscopedSql("its statement names no {scope:alias}")
    if any(str(name).startswith(("core_", "scope_")) for name in made.params):
        raise XiangyueError(
            _l("The rule “%(rule)s” uses names of parameters that are not its own.", rule=str(classifier.label))
        )
    return made


def run_rule(uow: Uow, classifier: Classifier, sql: str, params: Mapping[str, Any]) -> tuple[int, ...]:
    """Its statement, in the core's own around it. Raises XiangyueError when it fails; what the job tries again (the
    database is away, or the statement took too long) as it is."""
    owner = _owner(uow, classifier)
    plugin = owner if owner is not None and not owner.core else None
    hook = _statement(classifier)
    try:
        with nullcontext() if plugin is None else timed(plugin.key, hook):
            return tuple(scoped_sql(uow.session, sql, params).one())
    except Exception as error:
        if is_away(error):
            raise
        if plugin is not None:
            record_fault(uow, plugin.key, hook, error, near=folder_of(plugin))
        if is_timeout(error):
            raise
        raise _failed(classifier, type(getattr(error, "orig", None) or error).__name__) from error


def note_unfit(uow: Uow, classifier: Classifier, what: str) -> None:
    """Put proposals that do not fit their rule on the plugins page: kinds of faults, no values."""
    owner = _owner(uow, classifier)
    if owner is not None and not owner.core:
        record_fault(uow, owner.key, _statement(classifier), Nonsense(what))


def _statement(classifier: Classifier) -> str:
    return f"classifiers:{classifier.key}:statement"


def _owner(uow: Uow, classifier: Classifier) -> Contributor | None:
    return next((who for who, item in offer_of(uow).each("classifiers") if item is classifier), None)


def _failed(classifier: Classifier, kind: str) -> XiangyueError:
    return XiangyueError(
        _l("The rule “%(rule)s” could not be computed (%(kind)s).", rule=str(classifier.label), kind=kind)
    )
