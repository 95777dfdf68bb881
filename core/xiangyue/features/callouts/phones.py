"""Telephones in a call: shown by right, each with an entry in the audit trail and the person's access log."""

from __future__ import annotations

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.features.callouts import queries
from xiangyue.features.callouts.models import Callout, CalloutGroup, CalloutHousehold
from xiangyue.features.households.models import Person
from xiangyue.features.households.policy import IDENTIFIER_REVEAL
from xiangyue.features.households.service_persons import reveal_identifier
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l


@acts(IDENTIFIER_REVEAL)
def reveal_phones(
    uow: Uow, *, keys: TenantKeys, callout_group_id: int, household_id: int | None
) -> list[tuple[str, str]]:
    """(name, telephone) of those who live in a household of the group, or of its head (``household_id`` None). Raises
    NotFound, Conflict once the call has ended: the emergency that the look is for is over."""
    group = uow.get(CalloutGroup, callout_group_id)
    with uow.tenant_wide("the call of a group may have gone to a wider area than the reader's"):
        if uow.session.scalars(select(Callout.state).where(Callout.id == group.callout_id)).one() != "open":
            raise Conflict(_l("This call has ended."))
    if household_id is None:
        ids = [group.head_person_id] if group.head_person_id is not None else []
    else:
        inside = select(CalloutHousehold.id).where(
            CalloutHousehold.callout_group_id == group.id, CalloutHousehold.household_id == household_id
        )
        if uow.session.scalars(inside).one_or_none() is None:
            raise NotFound(_l("There is no such entry, or it lies outside your area."))
        ids = queries.persons_of(uow, household_id)
    purpose = _("Call in an emergency no. %(id)s", id=group.callout_id)
    found = []
    for id in ids:
        _number, phone = reveal_identifier(uow, keys=keys, person_id=id, purpose=purpose)
        if phone:
            found.append((uow.get(Person, id).name, phone))
    if found:
        audit(uow, action="callout.phones", obj=group, label=group.name, after={"persons": len(found)}, purpose=purpose)
    return found
