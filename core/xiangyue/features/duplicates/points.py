"""What the feature shows on the pages of a person and of a household: the way to say that it is another record too."""

from __future__ import annotations

from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.duplicates import policy
from xiangyue.features.households.models import Household, Person
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import HouseholdPanel, PanelView, PersonPanel


def _person(uow: Uow, person_id: int) -> PanelView | None:
    return _panel(policy.PERSON, uow.get(Person, person_id))


def _household(uow: Uow, household_id: int) -> PanelView | None:
    return _panel(policy.HOUSEHOLD, uow.get(Household, household_id))


def _panel(kind: str, record: Any) -> PanelView | None:
    # What was erased stays by itself.
    if getattr(record, "erased_at", None) is not None:
        return None
    return PanelView("duplicates/panel.html", {"kind": kind, "id": record.id})


PERSON_PANEL = PersonPanel("duplicates", _l("Possible duplicates"), policy.DUPLICATE_MERGE, _person, position=90)
HOUSEHOLD_PANEL = HouseholdPanel(
    "duplicates", _l("Possible duplicates"), policy.DUPLICATE_MERGE, _household, position=90
)
