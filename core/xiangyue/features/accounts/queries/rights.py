"""What a person can see and do, and why: the answer behind the rights page, from the same rules that guard pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from xiangyue.access.actor import Actor, Grant
from xiangyue.access.models import Account
from xiangyue.access.permissions import Permission
from xiangyue.db.scope import Scope
from xiangyue.db.uow import Uow
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.queries.accounts import GrantRow
from xiangyue.features.areas.models import TOWN, VILLAGE, Area
from xiangyue.features.areas.policy import AREA_VIEW
from xiangyue.features.households.models import Household
from xiangyue.features.households.policy import HOUSEHOLD_VIEW
from xiangyue.tenancy.directory import TenantInfo


@dataclass(frozen=True, slots=True)
class Right:
    """One permission and the grants it comes from; none: the person does not have it."""

    permission: Permission
    ways: tuple[GrantRow, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of the county a person sees. None: no right to see any."""

    towns: int | None
    villages: int | None
    households: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """May this person do this there? ``reason``: granted, elsewhere, never, disabled."""

    allowed: bool
    reason: str
    ways: tuple[GrantRow, ...]


def actor_of(account: Account, grants: Sequence[GrantRow], tenant: TenantInfo) -> Actor:
    """The account as the actor it would be when signed in."""
    return Actor(
        kind="account",
        tenant_id=account.tenant_id,
        account_id=account.id,
        login=account.login,
        name=account.name,
        grants=tuple(Grant(g.role_key, g.name, g.permissions, g.area.code, g.name_en) for g in grants),
        tenant_area=tenant.area_code,
    )


def rights_of(permissions: Sequence[Permission], grants: Sequence[GrantRow]) -> list[tuple[str, list[Right]]]:
    """All permissions under their headings, each with the grants that give it."""
    groups: dict[str, list[Right]] = {}
    for permission in permissions:
        ways = tuple(g for g in grants if permission.name in g.permissions)
        groups.setdefault(policy.group_of(permission), []).append(Right(permission, ways))
    return list(groups.items())


def reach_of(uow: Uow, actor: Actor) -> Reach:
    """Counts of what ``actor`` sees. The caller has checked that the account lies in the viewer's reach."""

    def counted(model: type[Area] | type[Household], permission: Permission, level: str = "") -> int | None:
        ranges = actor.ranges(permission)
        if ranges == ():
            return None
        statement = select(func.count()).select_from(model)
        if level:
            statement = statement.where(Area.level == level)
        with uow.scoped(Scope(uow.tenant_id, ranges)):
            return uow.session.scalar(statement) or 0

    return Reach(
        towns=counted(Area, AREA_VIEW, TOWN),
        villages=counted(Area, AREA_VIEW, VILLAGE),
        households=counted(Household, HOUSEHOLD_VIEW),
    )


def explain(
    account: Account, actor: Actor, grants: Sequence[GrantRow], permission: Permission, area_code: int
) -> Answer:
    """Yes or no for one permission at one place (15 digits, 0 the whole tenant), and through which grants."""
    holding = tuple(g for g in grants if permission.name in g.permissions)
    here = tuple(g for g in holding if policy.covers(g.area.code, area_code, actor.tenant_area))
    if account.state != policy.ACTIVE:
        return Answer(False, "disabled", here)
    if here:
        return Answer(True, "granted", here)
    return Answer(False, "elsewhere" if holding else "never", holding)


def find_household(uow: Uow, text: str) -> Household | None:
    """A household by its code or id, where the viewer may see households; None for any other."""
    if not uow.actor.can(HOUSEHOLD_VIEW) or not text.isdecimal() or len(text) > 18:
        return None
    with uow.scoped(uow.actor.scope(HOUSEHOLD_VIEW)):
        statement = select(Household).where(or_(Household.code == text, Household.id == int(text)))
        return uow.session.scalars(statement.limit(1)).one_or_none()
