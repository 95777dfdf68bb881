"""Consents on the page of a person, and where they go when records are merged."""

from __future__ import annotations

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import Person
from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy.models_consent import PersonConsent
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows, PanelView, PersonPanel

#: All of them: what was said last counts, to whichever record it was said (`last_word`).
FOLLOWS = Follows("person_consent", _l("Consents"), "person", PersonConsent, "person_id")


def _panel(uow: Uow, person_id: int) -> PanelView | None:
    person = uow.get(Person, person_id)
    asked = queries.asked_of(uow, person)
    if not asked:
        return None
    may = uow.actor.scope(policy.CONSENT_EDIT).contains(person.area_code)
    context = {"asked": asked, "person_id": person_id, "policy": policy, "may_edit": may}
    return PanelView("privacy/person_consents.html", context)


PANEL = PersonPanel("consents", _l("Consents"), policy.CONSENT_VIEW, _panel, position=40)
