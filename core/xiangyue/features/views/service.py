"""Saving, changing and taking away views. Nothing here commits."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, Stale
from xiangyue.features.households.named import unnamed
from xiangyue.features.views import queries
from xiangyue.features.views.models import SavedView
from xiangyue.features.views.policy import LISTS, MOST_VIEWS, NAME_LENGTH, PASSING, QUERY_LENGTH, VIEW_SHARE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.idnumber import tells_number

COLUMNS = ("name", "query", "shared")


def plain_query(query: str) -> str:
    """An address's parameters in an order of their own, without where one is in the list; "" for the whole list."""
    pairs = [(k, v.strip()) for k, v in parse_qsl(query.removeprefix("?")) if k not in PASSING]
    return urlencode(sorted((k, v) for k, v in pairs if v))


def _checked(uow: Uow, values: dict[str, Any], of: str, own_id: int = 0) -> dict[str, Any]:
    """``values`` as they are kept. Raises Invalid by field, Forbidden for sharing without the right."""
    faults: dict[str, Any] = {}
    found: dict[str, Any] = {}
    if "name" in values:
        found["name"] = " ".join(str(values["name"]).split())
        if not found["name"]:
            faults["name"] = [_l("Give the view a name.")]
        elif len(found["name"]) > NAME_LENGTH:
            faults["name"] = [_l("At most %(n)d characters.", n=NAME_LENGTH)]
        elif not found["name"].isprintable():
            faults["name"] = [_l("Use plain text.")]
    if "query" in values:
        found["query"] = plain_query(str(values["query"]))
        if len(found["query"]) > QUERY_LENGTH:
            faults["query"] = [_l("These are too many conditions for a view.")]
        elif any(tells_number(value) for _name, value in parse_qsl(found["query"])):
            faults["query"] = [_l("A citizen number cannot be kept in a view. Take it out of the conditions.")]
        elif strange := unnamed(uow, LISTS[of].entity, (name for name, _value in parse_qsl(found["query"]))):
            faults["query"] = [_l("This list has no condition “%(name)s”.", name=name) for name in strange]
    if faults:
        raise Invalid(faults)
    if "shared" in values:
        found["shared"] = bool(values["shared"])
        if found["shared"] and not uow.actor.can(VIEW_SHARE):
            raise Forbidden(_l("You may not share views with the county."), permission=VIEW_SHARE.name)
    if "name" in found and _named(uow, of, found["name"], own_id) is not None:
        raise Conflict(_l("You have a view “%(name)s” of this list already.", name=found["name"]))
    return found


def _named(uow: Uow, list: str, name: str, but: int = 0) -> SavedView | None:
    return uow.session.scalars(
        select(SavedView).where(
            SavedView.account_id == uow.actor.account_id,
            SavedView.list == list,
            SavedView.name == name,
            SavedView.id != but,
        )
    ).one_or_none()


def _of_a_person(uow: Uow) -> int:
    if uow.actor.account_id is None:
        raise Forbidden(_l("Views belong to a person's account."))
    return uow.actor.account_id


@acts(None)
def save_view(uow: Uow, *, list: str, name: str, query: str, shared: bool = False, replace: bool = False) -> SavedView:
    """Keep the conditions of a list (``query``, as in its address) under a name of one's own.

    ``replace`` puts them in the place of one's view of that name. Raises Invalid by field, Conflict (name taken, too
    many), Forbidden.
    """
    account_id = _of_a_person(uow)
    if list not in LISTS or not uow.actor.can(LISTS[list].permission):
        raise Invalid({"list": [_l("There is no such list: %(known)s.", known=", ".join(LISTS))]})
    before = _named(uow, list, " ".join(name.split())) if replace else None
    if before is not None:
        return edit_view(uow, id=before.id, version=before.version, values={"query": query, "shared": shared})
    values = _checked(uow, {"name": name, "query": query, "shared": shared}, list)
    if queries.count_own(uow, list) >= MOST_VIEWS:
        raise Conflict(_l("You have %(n)d views of this list. Take one away first.", n=MOST_VIEWS))
    view = SavedView(account_id=account_id, list=list, version=1, **values)
    uow.session.add(view)
    uow.session.flush()
    audit(uow, action="saved_view.add", obj=view, label=view.name, after={"list": list, **values})
    return view


@acts(None)
def edit_view(uow: Uow, *, id: int, version: int, values: dict[str, Any]) -> SavedView:
    """Change name, query or shared of one's own view. Raises NotFound, Stale, Invalid, Conflict, Forbidden."""
    view = _own(uow, id)
    before = {name: getattr(view, name) for name in COLUMNS}
    if view.version != version:
        raise Stale(_l("Somebody changed this meanwhile."), theirs=before)
    old, new = changed(before, _checked(uow, values, view.list, view.id))
    if new:
        for name, value in new.items():
            setattr(view, name, value)
        view.version += 1
        uow.session.flush()
        audit(uow, action="saved_view.edit", obj=view, label=view.name, before=old, after=new)
    return view


@acts(None)
def remove_view(uow: Uow, *, id: int) -> None:
    """Take one's own view away; who may share may take away a shared one of others. Raises NotFound, Forbidden."""
    view = _own(uow, id)
    audit(uow, action="saved_view.remove", obj=view, label=view.name, before={"list": view.list, "query": view.query})
    uow.session.delete(view)
    uow.session.flush()


def _own(uow: Uow, id: int) -> SavedView:
    queries.get_view(uow, id)
    view = uow.get_for_update(SavedView, id)
    if view.account_id == uow.actor.account_id:
        return view
    # Whoever made a shared view may have left; somebody must be able to put it right.
    if view.shared and uow.actor.ranges(VIEW_SHARE) is None:
        return view
    raise Forbidden(_l("This view is somebody else's."))
