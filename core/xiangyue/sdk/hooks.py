"""What a plugin says of itself and registers: its manifest, the marker of its hooks, and what hooks return."""

from __future__ import annotations

from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.manifest import API_VERSION, Manifest
from xiangyue.plugin.registry import (
    NAV_GROUPS,
    Classifier,
    Clause,
    DashboardCard,
    Follows,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    Input,
    JobKind,
    NavItem,
    Outcome,
    PanelView,
    ProfileSection,
    Proposals,
    RuleVersion,
    Schedule,
    SearchHit,
    SearchKind,
    Step,
    WorkItem,
    WorkProvider,
    kept_by_core,
)
from xiangyue.tenancy.provision import Change

__all__ = [
    "API_VERSION",
    "NAV_GROUPS",
    "Change",
    "Classifier",
    "Clause",
    "DashboardCard",
    "Follows",
    "HouseholdColumn",
    "HouseholdFilter",
    "HouseholdPanel",
    "ImportColumn",
    "Input",
    "JobKind",
    "Manifest",
    "NavItem",
    "Outcome",
    "PanelView",
    "ProfileSection",
    "Proposals",
    "RuleVersion",
    "Schedule",
    "SearchHit",
    "SearchKind",
    "Step",
    "WorkItem",
    "WorkProvider",
    "hookimpl",
    "kept_by_core",
]
