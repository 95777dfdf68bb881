"""What the plugin is and what it registers. Every hook of Xiangyue is used here once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from flask import Blueprint

from xiangyue.sdk.access import Permission
from xiangyue.sdk.db import Uow
from xiangyue.sdk.errors import Refused
from xiangyue.sdk.hooks import (
    Change,
    Classifier,
    DashboardCard,
    Follows,
    HouseholdColumn,
    HouseholdFilter,
    HouseholdPanel,
    ImportColumn,
    ImportRegister,
    JobKind,
    Manifest,
    NavItem,
    PersonPanel,
    ProfileSection,
    RuleWarning,
    Schedule,
    SearchKind,
    WorkProvider,
    hookimpl,
)
from xiangyue.sdk.i18n import _l
from xiangyue.sdk.settings import plugin_settings
from xiangyue_errands import api, commands, jobs, need, pages, points, policy, queries, service, stations, words
from xiangyue_errands.settings import Settings

HERE = Path(__file__).parent

MANIFEST = Manifest(
    name="errands",
    label=_l("Errands"),
    summary=_l("What villages fetch, pay or hand in for households, and whether it is done."),
    core=">=1.0,<2",
    version="1.0.0",
    settings=Settings,
    migrations=HERE / "migrations" / "versions",
    author="Xiangyue",
)


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (points.NAVIGATION,)


@hookimpl
def register_household_panels() -> Sequence[HouseholdPanel]:
    return (points.PANEL,)


@hookimpl
def register_person_panels() -> Sequence[PersonPanel]:
    return (points.PERSON_PANEL,)


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
def register_work() -> Sequence[WorkProvider]:
    return (points.WORK,)


@hookimpl
def register_search_kinds() -> Sequence[SearchKind]:
    return (points.SEARCH,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (points.FOLLOWS,)


@hookimpl
def register_import_columns() -> Sequence[ImportColumn]:
    return (points.ROSTER,)


@hookimpl
def register_imports() -> Sequence[ImportRegister]:
    return (stations.REGISTER,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.KIND,)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.DAILY,)


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (commands.errands,)


@hookimpl
def register_classifiers() -> Sequence[Classifier]:
    return (need.CLASSIFIER,)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("errands", 60, stations_of_profile),)


def stations_of_profile(uow: Uow, _profile: Any, _registry: Any) -> list[Change]:
    """The villages that a profile brings get their stations at once."""
    return service.open_stations(uow)


@hookimpl
def household_change_requested(uow: Uow, household_id: int, changes: Mapping[str, Any]) -> None:
    if changes.get("state") == "closed" and queries.open_by_household(uow, [household_id]):
        raise Refused(_l("This household has open errands. Finish them first."))


@hookimpl
def import_commit_requested(uow: Uow) -> None:
    if plugin_settings(uow, "errands")["imports_closed"]:
        raise Refused(_l("No rosters for now: the yearly figures of errands are drawn up."))


@hookimpl
def classification_decision_requested(uow: Uow, classifier: str, household_id: int, outcome: str) -> None:
    if classifier == policy.CLASSIFIER and outcome == "seldom" and queries.has_late(uow, household_id):
        raise Refused(_l("An errand of this household is overdue. Finish it before you decide."))


@hookimpl
def household_change_happened(uow: Uow, household_id: int) -> None:
    service.follow_households(uow, household_id=household_id)


@hookimpl
def person_change_happened(uow: Uow, household_id: int, action: str) -> None:
    if action == "person.leave":
        service.ask_again(uow, household_id=household_id)


@hookimpl
def person_merge_happened(uow: Uow, person_id: int) -> None:
    household = queries.household_of(uow, person_id)
    if household is not None:
        service.ask_again(uow, household_id=household)


@hookimpl
def household_merge_happened(uow: Uow, household_id: int) -> None:
    service.ask_again(uow, household_id=household_id)


@hookimpl
def post_change_happened(uow: Uow, person_id: int) -> None:
    household = queries.household_of(uow, person_id)
    if household is not None:
        service.ask_again(uow, household_id=household)


@hookimpl
def import_commit_happened(uow: Uow) -> None:
    service.follow_households(uow)


@hookimpl
def area_change_happened(uow: Uow) -> None:
    service.open_stations(uow)


@hookimpl
def classification_decision_happened(uow: Uow, classifier: str, household_id: int, outcome: str, state: str) -> None:
    if classifier == policy.CLASSIFIER and outcome == "often" and state == "in_force":
        service.open_follow_up(uow, household_id=household_id)


@hookimpl
def grid_leader_requested(uow: Uow, person_id: int | None, role: str) -> list[RuleWarning] | None:
    household = queries.household_of(uow, person_id) if person_id is not None else None
    if role != "leader" or household is None:
        return None
    if queries.has_late(uow, household):
        raise Refused(_l("An errand of this household is overdue. Finish it before you decide."))
    if queries.open_by_household(uow, [household]):
        return [RuleWarning(_l("This household has open errands: somebody else would see to them."), words.RULE)]
    return None


@hookimpl
def grid_leader_happened(uow: Uow, grid_id: int, action: str) -> None:
    if action == "grid.end_post":
        service.ask_again_in_grid(uow, grid_id=grid_id)


@hookimpl
def household_group_happened(uow: Uow, group_id: int, action: str) -> None:
    if action == "household_group.end_head":
        service.ask_again_in_group(uow, group_id=group_id)


@hookimpl
def callout_happened(uow: Uow, action: str, drill: bool, person_ids: Sequence[int]) -> None:
    if action == "callout.send" and not drill:
        service.ask_again_of(uow, person_ids=person_ids)


@hookimpl
def grid_change_happened(uow: Uow, area_code: int, action: str) -> None:
    if action == "grid.plan":
        service.ask_again_in(uow, village=area_code)


@hookimpl
def plugin_switch_happened(uow: Uow, enabled: bool) -> None:
    if enabled:  # what happened while it was off was not told
        service.open_stations(uow)
        service.follow_households(uow)
