"""Reads of saved views: one's own and those that are shared with the county."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from xiangyue.access.models import Account
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.views.models import SavedView
from xiangyue.features.views.policy import LISTS
from xiangyue.i18n import lazy_gettext as _l


def views_of(uow: Uow, list: str | None = None) -> list[SavedView]:
    """The actor's own and the shared ones, of one list or of all lists that the actor may see; own ones first."""
    seen = [key for key, one in LISTS.items() if uow.actor.can(one.permission) and list in (None, key)]
    statement = (
        select(SavedView)
        .where(SavedView.list.in_(seen), or_(SavedView.account_id == uow.actor.account_id, SavedView.shared))
        .order_by(SavedView.list, SavedView.account_id != uow.actor.account_id, SavedView.name, SavedView.id)
    )
    return [*uow.session.scalars(statement)]


def get_view(uow: Uow, id: int) -> SavedView:
    """One that the actor may open. Raises NotFound for somebody else's that is not shared."""
    view = uow.get(SavedView, id)
    mine_or_shared = view.shared or view.account_id == uow.actor.account_id
    if not mine_or_shared or not uow.actor.can(LISTS[view.list].permission):
        raise NotFound(_l("There is no such view, or it is somebody else's."))
    return view


def count_own(uow: Uow, list: str) -> int:
    statement = select(func.count()).where(SavedView.account_id == uow.actor.account_id, SavedView.list == list)
    return uow.session.execute(statement).scalar_one()


def owners(uow: Uow, views: list[SavedView]) -> dict[int, str]:
    """Account id -> name, of those whose views these are."""
    ids = {view.account_id for view in views}
    rows = uow.session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    return {id: name for id, name in rows}  # noqa: C416 - rows are no pairs to a type checker
