"""Rows that follow their person or household: counted, moved and put back by what features and plugins registered.

Also those of plugins that are off in the county, whose rows would otherwise wait with somebody who is gone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, inspect, select, update

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound, Refused
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin import dispatch
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import Follows

_FAILED: Final = object()
_PLACES = {
    "person": "SELECT o.area_code, o.household_id FROM person o WHERE {tenant:o} AND o.id = :id",
    "household": "SELECT o.area_code, o.id FROM household o WHERE {tenant:o} AND o.id = :id",
}


@dataclass(frozen=True, slots=True)
class Following:
    """What would go along of one registration: ids of rows that ``move``, and of those that ``stay`` because the
    survivor has such a row already."""

    follows: Follows
    move: tuple[int, ...]
    stay: tuple[int, ...]


def followers(uow: Uow, *, of: str, old: int, new: int, only_open: bool = False) -> list[Following]:
    """What hangs on the person or household (``of``) ``old`` and would go to ``new``; kinds without rows left out.

    Raises Refused when a plugin's rows cannot be read.
    """
    found = []
    for contributor, item in _registered(uow, of):
        answer = _ask(uow, contributor, item, functools.partial(_split, uow, item, old, new, only_open))
        if answer.move or answer.stay:
            found.append(answer)
    return found


def follow_rows(uow: Uow, *, of: str, old: int, new: int, only_open: bool = False) -> dict[str, list[int]]:
    """Move the rows that hang on ``old`` to ``new``; ids by key of registration, for ``unfollow_rows``.

    Their version and time of change stay: nothing in them changed. Does not commit. Raises NotFound, Refused.
    """
    moved: dict[str, list[int]] = {}
    for contributor, item in _registered(uow, of):
        act = functools.partial(_follow, uow, item, old, new, only_open)
        ids = _ask(uow, contributor, item, act)
        if ids:
            moved[item.key] = ids
    uow.session.expire_all()
    return moved


def unfollow_rows(uow: Uow, *, of: str, old: int, new: int, moved: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Put rows back that ``follow_rows`` moved; returns those that are no longer there or with somebody else, by key.

    A registration that is gone (its plugin is no longer installed) counts so with all its rows. Raises NotFound.
    """
    lost = {key: list(ids) for key, ids in moved.items()}
    for contributor, item in _registered(uow, of):
        if item.key not in moved:
            continue
        act = functools.partial(_move, uow, item, moved[item.key], new, old)
        back = set(_ask(uow, contributor, item, act))
        lost[item.key] = [id for id in moved[item.key] if id not in back]
    uow.session.expire_all()
    return {key: ids for key, ids in lost.items() if ids}


def missing_rows(uow: Uow, *, of: str, new: int, moved: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """How many of the rows that were moved to ``new`` are no longer with it, by key."""
    gone = {key: len(ids) for key, ids in moved.items()}
    for contributor, item in _registered(uow, of):
        if item.key in moved:
            there = _ask(uow, contributor, item, functools.partial(_there, uow, item, moved[item.key], new))
            gone[item.key] = len(moved[item.key]) - len(there)
    return {key: count for key, count in gone.items() if count}


def open_rows(uow: Uow, *, of: str, owner: int) -> list[tuple[Follows, tuple[int, ...]]]:
    """Open work that hangs on a person or household: ids of the rows that are open, by registration; also of plugins
    that are off. Raises Refused when a plugin's rows cannot be read: nobody knows then whether there is any."""
    found = []
    for contributor, item in _registered(uow, of):
        if item.open is None:
            continue
        ids = _ask(uow, contributor, item, functools.partial(_ids, uow, item, owner, only_open=True))
        if ids:
            found.append((item, ids))
    return found


def erase_rows(uow: Uow, *, owner: int, whole: bool = False) -> list[str]:
    """Erase what plugins keep of a person, as ``Follows.erase`` says, also those that are off; keys of the
    registrations that had any. Rows of the core are its features' own, but for what stands in place of names where
    nothing is to say any more who it was (``whole``). Does not commit. Raises Refused."""
    found = []
    for contributor, item in _registered(uow, "person"):
        if item.erase == {} or (contributor.core and not (whole and item.erase)):
            continue
        if _ask(uow, contributor, item, functools.partial(_erase, uow, item, owner)):
            found.append(item.key)
    uow.session.expire_all()
    return found


def _erase(uow: Uow, item: Follows, owner: int) -> int:
    """How many rows were erased."""
    ids = _ids(uow, item, owner)
    if not ids:
        return 0
    model: Any = item.model
    act: Any = delete(model) if item.erase is None else update(model).values(dict(item.erase))
    with uow.tenant_wide("what is kept of a person is erased wherever it lies"):
        uow.session.execute(act.where(model.id.in_(ids)), execution_options={"synchronize_session": False})
    return len(ids)


def _ids(uow: Uow, item: Follows, owner: int, *, only_open: bool = False) -> tuple[int, ...]:
    return tuple(row[0] for row in _rows(uow, item, owner, only_open=only_open))


def _registered(uow: Uow, of: str) -> Iterator[tuple[Contributor, Follows]]:
    uow.session.flush()
    for contributor, item in dispatch.installed_offer(uow).each("follows"):
        if item.of == of:
            yield contributor, item


def _ask(uow: Uow, contributor: Contributor, item: Follows, call: Any) -> Any:
    answer = dispatch.guarded(uow, contributor, f"follows:{item.key}", call, default=_FAILED)
    if answer is _FAILED:
        label: Any = contributor.manifest.label if contributor.manifest is not None else contributor.key
        raise Refused(
            _l(
                "The rows of the plugin “%(plugin)s” cannot go along, so nothing was changed. "
                "Somebody who may manage plugins can see there what went wrong.",
                plugin=label,
            ),
            plugin=contributor.key,
            label=label,
        )
    return answer


def _split(uow: Uow, item: Follows, old: int, new: int, only_open: bool) -> Following:
    rows = _rows(uow, item, old, only_open=only_open)
    there = {tuple(row[1:]) for row in _rows(uow, item, new)} if item.unique and rows else set()
    stay = [row[0] for row in rows if item.unique and tuple(row[1:]) in there]
    return Following(item, tuple(row[0] for row in rows if row[0] not in stay), tuple(stay))


def _rows(uow: Uow, item: Follows, owner: int, *, only_open: bool = False) -> list[Any]:
    """(id, values of the unique columns) of an owner's rows."""
    model: Any = item.model
    # The owner's own column among them says that an owner has one such row at most.
    others = [getattr(model, name) for name in item.unique if name != item.column]
    statement = select(model.id, *others).where(getattr(model, item.column) == owner)
    if item.where is not None:
        statement = statement.where(item.where)
    if only_open:
        if item.open is None:
            return []
        statement = statement.where(item.open)
    with uow.tenant_wide("rows follow their owner wherever they lie"):
        return list(uow.session.execute(statement.order_by(model.id)))


def _follow(uow: Uow, item: Follows, old: int, new: int, only_open: bool) -> list[int]:
    return _move(uow, item, _split(uow, item, old, new, only_open).move, old, new)


def _there(uow: Uow, item: Follows, ids: Sequence[int], owner: int) -> list[int]:
    model: Any = item.model
    statement = select(model.id).where(model.id.in_(ids), getattr(model, item.column) == owner)
    with uow.tenant_wide("rows follow their owner wherever they lie"):
        return list(uow.session.scalars(statement.order_by(model.id)))


def _move(uow: Uow, item: Follows, ids: Sequence[int], old: int, new: int) -> list[int]:
    """Ids of those that were ``old``'s and are ``new``'s now."""
    model: Any = item.model
    found = _there(uow, item, ids, old)
    if not found:
        return []
    place = scoped_rows(uow.session, _PLACES[item.of], {"id": new})
    if not place:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    columns = inspect(model).columns
    values: dict[str, Any] = {item.column: new}
    if "area_code" in columns and not item.own_place:
        values["area_code"] = place[0][0]
    if item.household:
        values[item.household] = place[0][1]
    if "updated_at" in columns:
        values["updated_at"] = model.updated_at
    statement = update(model).where(model.id.in_(found)).values(values)
    with uow.tenant_wide("rows follow their owner wherever they lie"):
        uow.session.execute(statement, execution_options={"synchronize_session": False})
    return found


__all__ = ["Following", "erase_rows", "follow_rows", "followers", "missing_rows", "open_rows", "unfollow_rows"]
