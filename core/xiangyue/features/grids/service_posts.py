"""Who is in charge of a grid: appointed from a day on, for a term, and ended. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.models import Account
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.grids.models import ROLES, Grid, GridPost, GridVersion
from xiangyue.features.grids.policy import GRID_EDIT
from xiangyue.features.grids.standing import check_day
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.plugin.dispatch import consult, publish

NAME_LENGTH, UNIT_LENGTH, PHONE_LENGTH, REASON_LENGTH = 30, 60, 20, 200


class WarningReasonNeeded(Invalid):
    """A plugin's rule warns of whom is put in charge: it takes a reason, then it is done. The field is ``reason``;
    ``warnings`` in ``details`` say what, as `spoken`."""

    code = "reason_needed"
    told = ("warnings",)


def spoken(warnings: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Warnings as they are kept, for a reader now: ``plugin``, ``text``, ``source``."""
    return [{"plugin": one["plugin"], "text": pick(one["zh"], one["en"]), "source": one["source"]} for one in warnings]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What rules of plugins have against somebody in a grid: ``refused`` in words, or "", and ``warnings`` as
    `spoken`."""

    refused: str = ""
    warnings: tuple[dict[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.refused or self.warnings)


@acts(None)
def verdict(
    uow: Uow, *, grid_id: int, level: int, area_code: int, person_id: int | None, role: str, on: date
) -> Verdict:
    """Ask the rules before anything is sent; the caller has checked the right. ``grid_id`` 0: one that is proposed."""
    try:
        found = consult(
            uow, "grid_leader_requested", grid_id=grid_id, level=level, area_code=area_code, person_id=person_id,
            role=role, on=on,
        )  # fmt: skip
    except Refused as refused:
        return Verdict(str(refused.message))
    return Verdict("", tuple(spoken(found)))


@acts(GRID_EDIT)
def look_ahead(uow: Uow, *, grid_id: int, role: str, person_id: int | None, on: date) -> Verdict:
    """What rules would have against a post in a grid that stands on that day. Raises NotFound."""
    grid = uow.get(Grid, grid_id)
    if person_id is not None:
        uow.get(Person, person_id)
    version = _standing(uow, grid.id, on)
    if version is None or role not in ROLES:
        return Verdict()
    return verdict(
        uow, grid_id=grid.id, level=version.level, area_code=version.area_code, person_id=person_id, role=role, on=on
    )


def _standing(uow: Uow, grid_id: int, on: date) -> GridVersion | None:
    stands = select(GridVersion).where(
        GridVersion.grid_id == grid_id, GridVersion.valid_from <= on,
        or_(GridVersion.valid_to.is_(None), GridVersion.valid_to > on),
    )  # fmt: skip
    return uow.session.scalars(stands).one_or_none()


@acts(GRID_EDIT)
def appoint(
    uow: Uow,
    *,
    grid_id: int,
    role: str,
    valid_from: date,
    principal: bool = False,
    person_id: int | None = None,
    name: str = "",
    unit: str = "",
    office_phone: str = "",
    term_until: date | None = None,
    reason: str = "",
    login: str = "",
) -> GridPost:
    """Put somebody in charge from a day on: a person of the register in the actor's area, or somebody from outside by
    ``name``. What a plugin's rule warns of (村民小组组长 …) takes a ``reason``; both stay with the post.
    ``login``: of the account by which he or she signs in, "" without one.

    Raises NotFound; Invalid by field (a person who died or moved away, a term that ends before it begins, a first day
    more than a year ahead, a login that there is not);
    WarningReasonNeeded; Conflict for a term that overlaps, naming whose; Refused by a plugin's rule."""
    grid = uow.get(Grid, grid_id)
    errors: dict[str, list[Any]] = {}
    if role not in ROLES:
        errors["role"] = [_l("Choose one of the options.")]
    check_day(valid_from, "valid_from")
    account = _account(uow, login) if login.strip() else None
    if login.strip() and account is None:
        errors["login"] = [_l("There is no account with this login. Leave it empty if there is none.")]
    if term_until is not None and term_until < valid_from:
        errors["term_until"] = [_l("The term ends before it begins.")]
    person = uow.get(Person, person_id) if person_id is not None else None
    if person is not None and person.state != "active":
        texts = {"deceased": _l("%(name)s has died.", name=person.name)}
        errors["person_id"] = [texts.get(person.state, _l("%(name)s has moved away.", name=person.name))]
    text = person.name if person is not None else " ".join(name.split())
    if not text or len(text) > NAME_LENGTH:
        errors["name"] = [_l("Give a name of at most %(n)d characters.", n=NAME_LENGTH)]
    for field, value, most in (("unit", unit, UNIT_LENGTH), ("office_phone", office_phone, PHONE_LENGTH)):
        if len(value.strip()) > most:
            errors[field] = [_l("At most %(n)d characters.", n=most)]
    version = _standing(uow, grid_id, valid_from)
    if version is None:
        errors["valid_from"] = [_l("This grid does not stand on that day.")]
    if len(reason.strip()) > REASON_LENGTH:
        errors["reason"] = [_l("At most %(n)d characters.", n=REASON_LENGTH)]
    if errors or version is None:
        raise Invalid(errors)
    _no_overlap(uow, grid, role, principal, person, text, valid_from)
    warnings = consult(
        uow, "grid_leader_requested", grid_id=grid.id, level=version.level, area_code=version.area_code,
        person_id=person_id, role=role, on=valid_from,
    )  # fmt: skip
    if warnings and not reason.strip():
        raise WarningReasonNeeded(
            {"reason": [_l("A rule speaks against this. Say why it is done all the same.")]},
            warnings=spoken(warnings),
        )
    post = GridPost(
        grid_id=grid.id, area_code=grid.area_code, role=role, principal=principal and role == "leader",
        person_id=person_id, name=text, unit=unit.strip(), office_phone=office_phone.strip(), valid_from=valid_from,
        term_until=term_until, version=1, warnings=warnings, warning_reason=reason.strip() if warnings else "",
        account_id=account,
    )  # fmt: skip
    uow.session.add(post)
    uow.session.flush()
    told = {
        "role": role, "grid": grid.code, "on": valid_from, "term_until": term_until, "reason": post.warning_reason,
        "warnings": [f"{one['zh']} ({one['source']})" for one in warnings],
    }  # fmt: skip
    audit(uow, action="grid.appoint", obj=post, label=text, after={k: v for k, v in told.items() if v})
    publish(uow, "grid_leader_happened", grid_id=grid.id, post_id=post.id, action="grid.appoint")
    return post


def _account(uow: Uow, login: str) -> int | None:
    found = select(Account.id).where(Account.login == login.strip().lower(), Account.state == "active")
    return uow.session.scalars(found).one_or_none()


def _no_overlap(
    uow: Uow, grid: Grid, role: str, principal: bool, person: Person | None, name: str, start: date
) -> None:
    """Raises Conflict for the same person in the same post, or a second principal leader."""
    uow.get_for_update(Grid, grid.id)
    same = select(GridPost).where(
        GridPost.grid_id == grid.id, GridPost.role == role,
        or_(GridPost.valid_to.is_(None), GridPost.valid_to > start),
    )  # fmt: skip
    for post in uow.session.scalars(same):
        known = post.person_id == person.id if person is not None else post.person_id is None and post.name == name
        if known or (role == "leader" and principal and post.principal):
            raise Conflict(
                _l("%(name)s holds this post since %(day)s. End that first, by the day when the new one begins.",
                   name=post.name, day=post.valid_from.isoformat()),
                post_id=post.id,
            )  # fmt: skip


@acts(GRID_EDIT)
def withdraw_post(uow: Uow, *, post_id: int, version: int) -> None:
    """A post that is to begin on a day to come is as if it had not been given. Raises NotFound, Stale, Conflict for one
    that has begun."""
    post = uow.get_for_update(GridPost, post_id)
    if post.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": post.version})
    if post.valid_from <= today():
        raise Conflict(_l("This post has begun: end it instead."))
    audit(uow, action="grid.withdraw_post", obj=post, label=post.name, before={"on": post.valid_from})
    publish(uow, "grid_leader_happened", grid_id=post.grid_id, post_id=post.id, action="grid.withdraw_post")
    uow.session.delete(post)
    uow.session.flush()


@acts(GRID_EDIT)
def end_post(uow: Uow, *, post_id: int, version: int, on: date, reason: str) -> GridPost:
    """Somebody is no longer in charge from ``on`` on. Raises NotFound, Stale, Conflict (ended already), Invalid."""
    post = uow.get_for_update(GridPost, post_id)
    if post.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"version": post.version})
    if post.valid_to is not None:
        raise Conflict(_l("This post has ended already."))
    if on <= post.valid_from:
        if post.valid_from > today():
            raise Conflict(_l("This post has not begun: withdraw it instead."))
        raise Invalid({"on": [_l("Choose a day after %(day)s, when it began.", day=post.valid_from.isoformat())]})
    if not reason.strip() or len(reason.strip()) > REASON_LENGTH:
        raise Invalid({"reason": [_l("Give a reason of at most %(n)d characters.", n=REASON_LENGTH)]})
    post.valid_to, post.ended_reason = on, reason.strip()
    post.version += 1
    uow.session.flush()
    audit(uow, action="grid.end_post", obj=post, label=post.name, after={"on": on, "reason": post.ended_reason})
    publish(uow, "grid_leader_happened", grid_id=post.grid_id, post_id=post.id, action="grid.end_post")
    return post
