"""All that this plugin takes from Xiangyue, in one place."""

from __future__ import annotations

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.permissions import Permission
from xiangyue.api.lists import ListArgs, chosen_fields, list_response
from xiangyue.api.setup import ApiBlueprint
from xiangyue.db.paging import decode_cursor, encode_cursor
from xiangyue.db.scope import Scope
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound
from xiangyue.features.areas.queries import code_text, parse_code
from xiangyue.features.areas.queries import names as area_names
from xiangyue.features.areas.switch import page_area
from xiangyue.features.classifications.compute import today
from xiangyue.features.classifications.list_query import STANDING, Row
from xiangyue.features.classifications.points import OutcomeText
from xiangyue.features.classifications.policy import (
    CLASSIFICATION_COMPUTE,
    CLASSIFICATION_VIEW,
    COMPUTE_KIND,
    OPEN_STATES,
)
from xiangyue.features.classifications.queries import last_computed
from xiangyue.features.classifications.queries import standing as classifications_of
from xiangyue.features.classifications.service_compute import compute_area, compute_household, request_compute
from xiangyue.features.households.models import Household, MarkKind
from xiangyue.features.households.policy import SENSITIVE_VIEW
from xiangyue.features.households.service_awards import record_awards
from xiangyue.features.plugins.service import plugin_settings
from xiangyue.i18n import _, _l
from xiangyue.jobs.service import enqueue_job
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.manifest import Manifest
from xiangyue.plugin.registry import (
    Classifier,
    Clause,
    DashboardCard,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    Input,
    NavItem,
    Outcome,
    PanelView,
    Proposals,
    RuleVersion,
    Step,
)
from xiangyue.web.access import requires
from xiangyue.web.components import Column, ListView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page

__all__ = [
    "CLASSIFICATION_COMPUTE",
    "CLASSIFICATION_VIEW",
    "COMPUTE_KIND",
    "OPEN_STATES",
    "SENSITIVE_VIEW",
    "STANDING",
    "ApiBlueprint",
    "Classifier",
    "Clause",
    "Column",
    "DashboardCard",
    "Household",
    "HouseholdColumn",
    "HouseholdFilter",
    "HouseholdPanel",
    "ImportColumn",
    "Input",
    "Invalid",
    "ListArgs",
    "ListView",
    "Manifest",
    "MarkKind",
    "NavItem",
    "NotFound",
    "Outcome",
    "OutcomeText",
    "PanelView",
    "Permission",
    "Proposals",
    "Row",
    "RuleVersion",
    "Scope",
    "Step",
    "Uow",
    "_",
    "_l",
    "acts",
    "area_names",
    "audit",
    "chosen_fields",
    "classifications_of",
    "code_text",
    "compute_area",
    "compute_household",
    "current_actor",
    "current_uow",
    "decode_cursor",
    "encode_cursor",
    "enqueue_job",
    "flash",
    "hookimpl",
    "last_computed",
    "list_response",
    "page",
    "page_area",
    "parse_code",
    "plugin_settings",
    "record_awards",
    "request_compute",
    "requires",
    "scoped_rows",
    "today",
]
