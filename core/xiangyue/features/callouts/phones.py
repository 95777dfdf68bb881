"""Telephones in a call: shown while it is under way, to whoever answers for these households, each with an entry in the
audit trail and in the person's access log. What for is known: the call."""

from __future__ import annotations

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, NotFound
from xiangyue.features.callouts import queries
from xiangyue.features.callouts.models import Callout, CalloutGroup, CalloutHousehold
from xiangyue.features.callouts.policy import CALLOUT_PHONES, CALLOUT_VIEW
from xiangyue.features.households.identifiers import PHONE, in_full
from xiangyue.features.households.models import Person
from xiangyue.features.privacy.access_log import note_look
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l


@acts(CALLOUT_PHONES)
def reveal_phones(
    uow: Uow, *, keys: TenantKeys, callout_group_id: int, household_id: int | None
) -> list[tuple[str, str]]:
    """(name, telephone) of those who live in a household of the group, or of its head (``household_id`` None). For the
    head of the group and for whoever may see calls there. Raises NotFound, Conflict once the call has ended: what the
    look is for is over."""
    group = uow.get(CalloutGroup, callout_group_id)
    if not queries.is_head(uow, group) and not uow.actor.scope(CALLOUT_VIEW).contains(group.area_code):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    with uow.tenant_wide("the call of a group may have gone to a wider area than the reader's"):
        call = uow.session.scalars(select(Callout).where(Callout.id == group.callout_id)).one()
    if call.state != "open":
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
    words = {"id": call.id}
    purpose = _("Drill of a call no. %(id)s", **words) if call.drill else _("Call in an emergency no. %(id)s", **words)
    found = []
    whose = select(Person).where(Person.id.in_(ids), Person.phone.is_not(None)).order_by(Person.id)
    for person in uow.session.scalars(whose).all():
        audit(uow, action="callout.phones", obj=person, label=person.name, purpose=purpose)
        note_look(uow, person_id=person.id, seen="phone", purpose=purpose)
        found.append((person.name, in_full(keys, uow.tenant_id, PHONE, person.phone)))
    return found
