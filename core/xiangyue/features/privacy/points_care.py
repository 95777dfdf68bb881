"""Children and old people in other pages: a person's page, the list of households, the work list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.households.person_input import today
from xiangyue.features.privacy import policy_care as policy
from xiangyue.features.privacy import queries_care as queries
from xiangyue.features.privacy.conditions_care import household_condition
from xiangyue.features.privacy.models_care import CareReferral, PersonCare
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows, HouseholdFilter, PanelView, PersonPanel, WorkItem, WorkProvider
from xiangyue.runtime import runtime_of

KEY = "elders"

FOLLOWS = (
    Follows("person_care", _l("Carers and helpers"), "person", PersonCare, "person_id", unique=("person_id",)),
    Follows(
        "care_referral",
        _l("Referrals to the children's director"),
        "person",
        CareReferral,
        "person_id",
        open=CareReferral.state == "open",
    ),
)


def _panel(uow: Uow, person_id: int) -> PanelView | None:
    view = queries.care_of(uow, person_id)
    if not view.relevant:
        return None
    runtime = runtime_of(uow)
    context = {
        "view": view,
        "care": view.care,
        "masked": queries.masked_phone(runtime.tenant_keys(uow), view.care) if runtime is not None else "",
        "policy": policy,
        "person_id": person_id,
        "may_edit": uow.actor.scope(policy.CARE_EDIT).contains(view.person.area_code),
    }
    return PanelView("privacy/person_care.html", context)


PANEL = PersonPanel("care", _l("Carers and helpers"), policy.CARE_VIEW, _panel, position=30)


def _choices(_uow: Uow) -> Sequence[tuple[str, Any]]:
    return list(policy.ELDERS.items())


def _condition(_uow: Uow, value: str) -> tuple[str, Mapping[str, Any]]:
    return household_condition(value, today(), KEY)


FILTER = HouseholdFilter(KEY, _l("Old people"), None, _choices, _condition)


def find_referrals(uow: Uow) -> list[WorkItem]:
    """Referred children whose director has not said what came of it."""
    if uow.actor.kind == "system" or not uow.actor.can(policy.CARE_EDIT):
        return []
    with uow.scoped(uow.scope.within(uow.actor.scope(policy.CARE_EDIT))):
        found = queries.open_referrals(uow)
    return [
        WorkItem(
            title=_("%(name)s, referred to %(director)s", name=person.name, director=referral.director),
            detail=_("Children's director of the village"),
            url=url_for("privacy.show_care", id=person.id),
            act=_("Say what came of it"),
            due=referral.referred_on.isoformat(),
        )
        for referral, person in found
    ]


WORK = WorkProvider("privacy.referrals", find_referrals)
