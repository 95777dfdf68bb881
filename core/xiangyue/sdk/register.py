"""What the core keeps and does, as far as plugins may use it: areas, households, persons, their rights and services.

Models are for reading and joining; a plugin writes to the core's tables only through the services named here.
"""

from __future__ import annotations

from xiangyue.features.areas.models import Area
from xiangyue.features.areas.policy import AREA_VIEW
from xiangyue.features.areas.queries import code_text, parse_code, village_choices
from xiangyue.features.areas.queries import names as area_names
from xiangyue.features.areas.switch import page_area
from xiangyue.features.classifications.policy import (
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_EXPORT,
    CLASSIFICATION_VIEW,
)
from xiangyue.features.classifications.service import decide
from xiangyue.features.classifications.service_compute import compute_area, request_compute
from xiangyue.features.households.groups import household_ids
from xiangyue.features.households.models import (
    AwardKind,
    Household,
    HouseholdAward,
    HouseholdIncome,
    MarkKind,
    Person,
    PersonMark,
)
from xiangyue.features.households.policy import (
    HOUSEHOLD_EDIT,
    HOUSEHOLD_EXPORT,
    HOUSEHOLD_VIEW,
    SENSITIVE_VIEW,
)
from xiangyue.features.households.service_awards import record_awards
from xiangyue.features.households.service_records import set_award, set_income
from xiangyue.features.organisations.queries_person import holds_post
from xiangyue.features.views.models import SavedView
from xiangyue.features.views.queries import get_view, views_of

__all__ = [
    "AREA_VIEW",
    "CLASSIFICATION_COMPUTE",
    "CLASSIFICATION_EXPORT",
    "CLASSIFICATION_VIEW",
    "HOUSEHOLD_EDIT",
    "HOUSEHOLD_EXPORT",
    "HOUSEHOLD_VIEW",
    "SENSITIVE_VIEW",
    "Area",
    "AwardKind",
    "Household",
    "HouseholdAward",
    "HouseholdIncome",
    "MarkKind",
    "Person",
    "PersonMark",
    "SavedView",
    "area_names",
    "code_text",
    "compute_area",
    "decide",
    "get_view",
    "holds_post",
    "household_ids",
    "page_area",
    "parse_code",
    "record_awards",
    "request_compute",
    "set_award",
    "set_income",
    "views_of",
    "village_choices",
]
