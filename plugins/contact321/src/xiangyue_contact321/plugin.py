"""What the plugin registers and listens to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from flask import Blueprint

from xiangyue.sdk.access import Permission
from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import (
    Classifier,
    DashboardCard,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    Manifest,
    NavItem,
    RuleWarning,
    hookimpl,
)
from xiangyue.sdk.i18n import _l
from xiangyue_contact321 import api, leaders, pages, points, policy, roster, service
from xiangyue_contact321.rule import CLASSIFIER
from xiangyue_contact321.settings import Settings

MANIFEST = Manifest(
    name=policy.NAME,
    label=_l("Three-colour households (321)"),
    summary=_l(
        "Green, yellow and red households by income, safe-family awards and marks, proposed by the county's rule and "
        "confirmed by village and town. Colours are never public."
    ),
    core=">=1.0,<2",
    version="0.1.0",
    settings=Settings,
    translations=Path(__file__).parent / "translations",
    author="Xiangyue",
)


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            policy.NAME,
            _l("Three-colour households"),
            "contact321.overview",
            policy.VIEW,
            group="people",
            icon="flag",
            position=45,
        ),
    )


@hookimpl
def register_household_panels() -> Sequence[HouseholdPanel]:
    return (points.PANEL,)


@hookimpl
def register_household_filters() -> Sequence[HouseholdFilter]:
    return (points.FILTER,)


@hookimpl
def register_household_columns() -> Sequence[HouseholdColumn]:
    return (points.COLUMN,)


@hookimpl
def register_dashboard_cards() -> Sequence[DashboardCard]:
    return (points.CARD,)


@hookimpl
def register_import_columns() -> Sequence[ImportColumn]:
    return roster.import_columns()


@hookimpl
def register_classifiers() -> Sequence[Classifier]:
    return (CLASSIFIER,)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS


@hookimpl
def grid_leader_requested(
    uow: Uow, level: int, area_code: int, person_id: int | None, role: str, on: date
) -> Sequence[RuleWarning]:
    return leaders.warnings_of(uow, level=level, area_code=area_code, person_id=person_id, role=role, on=on)


@hookimpl
def household_change_happened(uow: Uow, household_id: int, action: str) -> None:
    service.follow_change(uow, household_id=household_id, action=action)


@hookimpl
def person_change_happened(uow: Uow, household_id: int, action: str) -> None:
    service.follow_change(uow, household_id=household_id, action=action)


@hookimpl
def import_commit_happened(uow: Uow, batch_id: int) -> None:
    service.recompute_all(uow, batch=batch_id)


@hookimpl
def plugin_switch_happened(uow: Uow, enabled: bool) -> None:
    if enabled:
        service.recompute_all(uow)
