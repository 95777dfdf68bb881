"""Acts of the register: done, reported, confirmed, refused, undone. Nothing here commits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import AlreadyUsed, Conflict, Stale
from xiangyue.features.households.models import RegisterAct
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, REGISTER_REPORT
from xiangyue.features.households.register import reports, undo
from xiangyue.features.households.register.acts import carry_out
from xiangyue.features.households.register.asked import Asked
from xiangyue.features.households.register.work import now, who
from xiangyue.features.households.writing import required_text, sent_digest
from xiangyue.i18n import lazy_gettext as _l


@acts(HOUSEHOLD_EDIT)
def do_act(
    uow: Uow,
    *,
    keys: TenantKeys,
    kind: str,
    on: date,
    request: Mapping[str, Any],
    reason: str = "",
    client_id: uuid.UUID | None = None,
    allow_synthetic: bool = False,
) -> RegisterAct:
    """Do an act; what ``request`` holds by kind stands at ``register.asked.Asked``. The same ``client_id`` again, with
    the same values, gives the act done before.

    Raises Invalid by field (``on``: not to come, and not before what it would be built on), Conflict, NotFound,
    AlreadyUsed.
    """
    digest = sent_digest(keys, kind=kind, on=on, request=request, reason=reason)
    known = _known(uow, client_id, digest)
    if known is not None:
        return known
    act = carry_out(uow, Asked(kind, on, request, reason, keys, allow_synthetic))
    act.client_id, act.client_digest = client_id, digest if client_id else None
    uow.session.flush()
    return act


@acts(REGISTER_REPORT)
def report_act(
    uow: Uow,
    *,
    keys: TenantKeys,
    kind: str,
    on: date,
    request: Mapping[str, Any],
    reason: str = "",
    client_id: uuid.UUID | None = None,
) -> RegisterAct:
    """Tell of a birth, a death, somebody's leaving or coming: it waits for the village and changes nothing until then.
    Citizen number and phone have no place in it. Raises Invalid, Conflict, NotFound, AlreadyUsed."""
    digest = sent_digest(keys, kind=kind, on=on, request=request, reason=reason)
    known = _known(uow, client_id, digest)
    if known is not None:
        return known
    act = reports.report(uow, Asked(kind, on, request, reason))
    act.client_id, act.client_digest = client_id, digest if client_id else None
    uow.session.flush()
    return act


@acts(HOUSEHOLD_EDIT)
def confirm_act(
    uow: Uow,
    *,
    keys: TenantKeys,
    act_id: int,
    version: int,
    on: date | None = None,
    values: Mapping[str, Any] | None = None,
    allow_synthetic: bool = False,
) -> RegisterAct:
    """Do what was reported. ``on`` and ``values`` (of a newcomer) correct or complete it. Raises Stale, Conflict (not
    waiting), and what the act itself raises."""
    act = _waiting(uow, act_id, version)
    request = dict(act.request)
    if values:
        request["values"] = {**request.get("values", {}), **values}
    act.state = "done"
    _decide(uow, act)
    carry_out(uow, Asked(act.kind, on or act.on_date, request, act.reason, keys, allow_synthetic, act=act))
    audit(uow, action="register.confirm", obj=act, before={"state": "reported"}, after={"state": "done"})
    uow.session.flush()
    return act


@acts(HOUSEHOLD_EDIT)
def refuse_act(uow: Uow, *, act_id: int, version: int, reason: str) -> RegisterAct:
    """What was reported is not so. Raises Stale, Conflict (not waiting), Invalid (reason)."""
    act = _waiting(uow, act_id, version)
    reports.refuse(uow, act, reason)
    _decide(uow, act)
    uow.session.flush()
    return act


@acts(HOUSEHOLD_EDIT)
def undo_act(uow: Uow, *, act_id: int, version: int, reason: str) -> RegisterAct:
    """Take an act back, exactly; it stays in the history as undone and cannot itself be undone.

    Raises NotFound, Stale, Invalid (reason), Conflict when it is not done, or with what was built on it (``built_on``
    in ``details``): later acts on the same persons, an import that moved them, records of a household made by a split.
    """
    act = uow.get_for_update(RegisterAct, act_id)
    _check_version(act, version)
    if act.state != "done":
        raise Conflict(_l("Only what was done can be undone."))
    reason = required_text(reason, "reason")
    undo.take_back(uow, act, reason)
    act.state, act.decision = "undone", reason
    _decide(uow, act)
    uow.session.flush()
    return act


def _waiting(uow: Uow, act_id: int, version: int) -> RegisterAct:
    act = uow.get_for_update(RegisterAct, act_id)
    _check_version(act, version)
    if act.state != "reported":
        raise Conflict(_l("This has been decided already."))
    return act


def _check_version(act: RegisterAct, version: int) -> None:
    if act.version != version:
        raise Stale(
            _l("Somebody else has saved this in the meantime."), theirs={"state": act.state, "version": act.version}
        )


def _decide(uow: Uow, act: RegisterAct) -> None:
    act.decided_by, act.decided_name = who(uow)
    act.decided_at = now()
    act.version += 1


def _known(uow: Uow, client_id: uuid.UUID | None, digest: bytes) -> RegisterAct | None:
    if client_id is None:
        return None
    with uow.tenant_wide("a client's UUID is unique in the county"):
        found = uow.session.scalars(select(RegisterAct).where(RegisterAct.client_id == client_id)).one_or_none()
    if found is not None and not uow.scope.contains(found.area_code):
        raise Conflict(_l("This form has been used already. Open a new one."))
    if found is not None and found.client_digest not in (None, digest):
        raise AlreadyUsed(_l("This has been sent before with other values. Send it as a new act."), act_id=found.id)
    return found
