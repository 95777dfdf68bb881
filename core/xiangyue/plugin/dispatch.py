"""Calls what features and a county's plugins registered. A plugin runs by itself: in a savepoint and a limited time.

What it does wrong is noted for the plugins page (``plugin.faults``) and left out; the core's own features run plainly,
and their faults are ours.
"""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import pluggy
from sqlalchemy import Engine

from xiangyue.access.actor import system_actor
from xiangyue.db.guard import Misuse
from xiangyue.db.session import OutOfTime, is_usable
from xiangyue.db.uow import Uow
from xiangyue.errors import Refused
from xiangyue.i18n import in_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin import hookspecs
from xiangyue.plugin.blame import FROM_OUTSIDE, is_timeout
from xiangyue.plugin.faults import Nonsense, error_line, record_fault, record_loss, trace_of, write_fault
from xiangyue.plugin.limits import allowed, is_overdue, limited
from xiangyue.plugin.metrics import timed
from xiangyue.plugin.offer import Contributor, Offer
from xiangyue.plugin.registry import RuleWarning

T = TypeVar("T")

#: Kind of the jobs that tell plugins of what happened.
EVENT = "plugin.event"
#: A hook that ran out of time is left alone for so long (seconds), in this process and county.
PAUSE = 60.0
_LONGEST_TEXT = 200
_MOST_WARNINGS, _LONGEST_WARNING = 10, 300

_paused: WeakKeyDictionary[Engine, dict[tuple[int, str, str], float]] = WeakKeyDictionary()
_Lent = dict[str, Callable[..., Any]]
_lent: _Lent = {}


def lend(**functions: Callable[..., Any]) -> None:
    """For the rooms above this one: ``offer_of(uow)`` (runtime), ``enqueue_job(uow, *, kind, params)`` (jobs)."""
    _lent.update(functions)


def installed_offer(uow: Uow) -> Offer:
    """What the core and every installed plugin whose tables are there offer, whether on in the county or not."""
    offer: Offer = _lent["installed_offer"](uow)
    return offer


def gather(
    uow: Uow,
    offer: Offer,
    attribute: str,
    call: Callable[[Any], Any],
    *,
    expect: type | tuple[type, ...],
) -> list[tuple[Contributor, Any, Any]]:
    """(contributor, registration, answer) of each registration of one kind that the actor has the right to.

    ``call(registration)`` is guarded one by one; answers that are None or not ``expect`` are left out.
    """
    found = []
    for contributor, item in offer.each(attribute):
        permission = getattr(item, "permission", None)
        if permission is not None and not uow.actor.can(permission):
            continue
        answer = guarded(
            uow, contributor, f"{attribute}:{item.key}", functools.partial(call, item), expect=expect, default=None
        )
        if answer is not None:
            found.append((contributor, item, answer))
    return found


def guarded(
    uow: Uow,
    contributor: Contributor,
    hook: str,
    call: Callable[[], Any],
    *,
    expect: type | tuple[type, ...] | None = None,
    default: Any = None,
    seconds: float | None = None,
) -> Any:
    """``call()``; for a plugin that fails, hangs (``limits.allowed``, or ``seconds``) or answers nonsense, ``default``
    instead, and a fault noted.

    None counts as an answer. What it wrote is kept only when it succeeds. Raises what is not the plugin's doing: the
    database is away, the process or job ends.
    """
    if contributor.core:
        return call()
    if is_paused(uow, contributor.key, hook):
        return default
    try:
        return _by_itself(uow, contributor, hook, call, expect, seconds or allowed())
    except _Failed:
        return default
    except Refused as refusal:  # there is no act here that it could refuse
        record_fault(uow, contributor.key, hook, refusal, near=folder_of(contributor))
        return default


class _Failed(Exception):
    """A plugin did what it may not do; it is noted."""


def _by_itself(
    uow: Uow,
    contributor: Contributor,
    hook: str,
    call: Callable[[], T],
    expect: type | tuple[type, ...] | None,
    seconds: float,
) -> T:
    """Raises _Failed, and Refused as it came from the hook; nothing of a failed or refusing hook is kept."""
    session = uow.session
    outer = session.bounds
    later = functools.partial(_later, uow, contributor, hook)
    try:
        with timed(contributor.key, hook), uow.lent(seconds, later):
            answer = limited(call, seconds)
            if expect is not None and answer is not None and not isinstance(answer, expect):
                raise Nonsense(f"answered {type(answer).__name__}, not {_names(expect)}")
    except FROM_OUTSIDE:
        raise
    except BaseException as error:
        if isinstance(error, OutOfTime) and ((outer is not None and time.monotonic() > outer.until) or is_overdue()):
            raise  # the time of a hook or a view around this one
        if not is_usable(session):
            # What the caller wrote is gone too, so it cannot go on; but the next one shall, and know why.
            if record_loss(uow, contributor.key, hook, error, near=folder_of(contributor), seconds=seconds):
                pause(uow, contributor.key, hook)
            if isinstance(error, Refused) or not isinstance(error, Exception):
                raise Misuse("the transaction was lost inside a hook") from error
            raise
        if isinstance(error, Refused):
            raise
        record_fault(uow, contributor.key, hook, error, near=folder_of(contributor), seconds=seconds)
        if is_timeout(error):
            pause(uow, contributor.key, hook)
        raise _Failed from error
    return answer


def _later(
    uow: Uow, contributor: Contributor, hook: str, callback: Callable[[], Any], in_transaction: bool
) -> Callable[[], Any]:
    """What a hook left to be done at the unit of work's end, as bounded as the hook itself."""

    def after_it() -> None:
        try:
            limited(callback, allowed())
        except FROM_OUTSIDE:
            raise
        except BaseException as error:
            line = error_line(error, near=folder_of(contributor))
            write_fault(uow.bind.engine, uow.tenant_id, contributor.key, hook, line, trace_of(error))

    return functools.partial(guarded, uow, contributor, hook, callback) if in_transaction else after_it


def _names(expect: type | tuple[type, ...]) -> str:
    return " or ".join(kind.__name__ for kind in (expect if isinstance(expect, tuple) else (expect,)))


def folder_of(contributor: Contributor) -> str:
    """Where its code lies, to find its place in a trace."""
    file = getattr(contributor.module, "__file__", None)
    return str(Path(file).parent) if file else ""


def is_paused(uow: Uow, plugin: str, hook: str) -> bool:
    """Whether the hook ran out of time a moment ago in this county."""
    by_hook = _paused.get(uow.bind.engine)
    return bool(by_hook) and by_hook is not None and by_hook.get((uow.tenant_id, plugin, hook), 0) > time.monotonic()


def pause(uow: Uow, plugin: str, hook: str) -> None:
    """Leave the hook alone for a while in this county and process."""
    by_hook = _paused.setdefault(uow.bind.engine, {})
    by_hook[(uow.tenant_id, plugin, hook)] = time.monotonic() + PAUSE


def unpause(uow: Uow, plugin: str) -> None:
    """Ask a plugin's hooks again: it was switched, or its settings changed."""
    by_hook = _paused.get(uow.bind.engine, {})
    for key in [key for key in by_hook if key[:2] == (uow.tenant_id, plugin)]:
        by_hook.pop(key, None)


Implementation = Callable[..., Any]
_marks = pluggy.PluginManager(hookspecs.NAMESPACE)


@functools.lru_cache(maxsize=512)
def implementations(contributor: Contributor) -> Mapping[str, Implementation]:
    """Its ``*_requested`` and ``*_happened`` hooks by name; each takes all arguments and passes on those it names."""
    found: dict[str, Implementation] = {}
    for name in dir(contributor.module):
        options = _marks.parse_hookimpl_opts(contributor.module, name)
        hook = name if options is None else options.get("specname") or name
        if options is not None and hook in (*hookspecs.REQUESTED, *hookspecs.HAPPENED):
            function = getattr(contributor.module, name)
            wanted = frozenset(sum(pluggy._hooks.varnames(function), ()))
            found[hook] = functools.partial(_with_wanted, function, wanted)
    return found


def _with_wanted(function: Callable[..., Any], wanted: frozenset[str], **arguments: Any) -> Any:
    return function(**{name: value for name, value in arguments.items() if name in wanted})


def veto(uow: Uow, hook: str, **arguments: Any) -> None:
    """Ask everybody who implements ``hook`` (``*_requested``) whether the act may be done; call it before the act.

    Raises Refused with the plugin's label and reason. One that fails refuses too: it cannot say that it agrees.
    """
    offer: Offer = _lent["offer_of"](uow)
    for contributor in offer.contributors:
        implementation = implementations(contributor).get(hook)
        if implementation is not None:
            answer = _ask(uow, contributor, hook, functools.partial(implementation, uow=uow, **arguments))
            if answer is not None and not contributor.core:
                nonsense = Nonsense(f"answered {type(answer).__name__}; raise Refused to prevent the act")
                record_fault(uow, contributor.key, hook, nonsense)


def consult(uow: Uow, hook: str, **arguments: Any) -> list[dict[str, str]]:
    """The same where an answer may be warnings: those of all, in order, as they are kept: ``plugin``, ``zh``, ``en``
    (the text in both languages) and ``source``. An answer that is none is a fault of the plugin's and left out."""
    offer: Offer = _lent["offer_of"](uow)
    found: list[dict[str, str]] = []
    for contributor in offer.contributors:
        implementation = implementations(contributor).get(hook)
        if implementation is None:
            continue
        call = functools.partial(implementation, uow=uow, **arguments)
        answer = _ask(uow, contributor, hook, functools.partial(_warnings, contributor.key, call))
        if isinstance(answer, Nonsense):
            record_fault(uow, contributor.key, hook, answer)
        else:
            found += answer
    return found


def _warnings(plugin: str, call: Callable[[], Any]) -> list[dict[str, str]] | Nonsense:
    """What a hook answered, written out: its lazy texts run with it, in its time."""
    answer = call()
    if answer is None:
        return []
    if not isinstance(answer, list | tuple) or not all(isinstance(one, RuleWarning) for one in answer):
        return Nonsense(f"answered {type(answer).__name__}; return RuleWarnings, or raise Refused to prevent the act")
    if len(answer) > _MOST_WARNINGS:
        return Nonsense(f"answered {len(answer)} warnings, more than {_MOST_WARNINGS}")
    found = []
    for one in answer:
        words = {"plugin": plugin, "source": str(one.source)}
        for locale in ("zh", "en"):
            with in_locale(locale):
                words[locale] = str(one.text)
        if any(not words[key].strip() or len(words[key]) > _LONGEST_WARNING for key in ("zh", "en", "source")):
            return Nonsense(f"a warning has a text and a source of 1 to {_LONGEST_WARNING} characters")
        found.append(words)
    return found


def _ask(uow: Uow, contributor: Contributor, hook: str, call: Callable[[], T]) -> T:
    label: Any = contributor.manifest.label if contributor.manifest is not None else contributor.key
    if contributor.manifest is None:
        return call()
    try:
        if is_paused(uow, contributor.key, hook):
            raise _Failed
        return _by_itself(uow, contributor, hook, call, None, allowed())
    except Refused as refusal:
        raise Refused(
            _l("The plugin “%(plugin)s” does not allow this: %(reason)s", plugin=label, reason=refusal.reason),
            plugin=contributor.key,
            label=label,
            reason=refusal.reason,
        ) from refusal
    except _Failed as failure:
        raise Refused(
            _l(
                "The plugin “%(plugin)s” must agree to this but failed, so nothing was changed. "
                "Somebody who may manage plugins can switch it off, or see there what went wrong.",
                plugin=label,
            ),
            plugin=contributor.key,
            label=label,
        ) from failure


def publish(uow: Uow, hook: str, **arguments: Any) -> None:
    """Tell everybody who implements ``hook`` (``*_happened``), each in a job of its own after the commit.

    ``arguments``: ids and short words only; a job's row is no place for personal data.
    """
    offer: Offer = _lent["offer_of"](uow)
    for contributor in offer.contributors:
        if hook in implementations(contributor):
            publish_to(uow, contributor, hook, **arguments)


def publish_to(uow: Uow, contributor: Contributor, hook: str, **arguments: Any) -> None:
    """The same for one plugin alone. Does nothing where it does not implement ``hook``."""
    for name, value in arguments.items():
        if not isinstance(value, int | str | None) or (isinstance(value, str) and len(value) > _LONGEST_TEXT):
            raise TypeError(f"{hook}: argument {name} is neither a number nor a short text")
    if hook not in implementations(contributor):
        return
    params = {"plugin": contributor.key, "hook": hook, "arguments": arguments, "event": uuid.uuid4().hex}
    actor = uow.actor
    # As the plugin itself, not as whoever did the act: it must not depend on that person's rights.
    uow.actor = system_actor(uow.tenant_id, "system" if contributor.core else contributor.key)
    try:
        _lent["enqueue_job"](uow, kind=EVENT, params=params)
    finally:
        uow.actor = actor
