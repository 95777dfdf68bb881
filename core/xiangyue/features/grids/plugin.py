"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
from xiangyue.features.areas.changes.following import add_follower
from xiangyue.features.grids import (
    api_boundaries,
    api_coverage,
    api_posts,
    boards_job,
    file_grids,
    file_homes,
    jobs,
    pages,
    points,
    policy,
    work,
)
from xiangyue.features.grids.forgetting import forget_posts
from xiangyue.features.grids.keeping import keep_households
from xiangyue.features.grids.kept_sizes import recount_households
from xiangyue.features.grids.profile import apply_rules
from xiangyue.features.grids.with_areas import follow_areas
from xiangyue.features.households.forgetting import add_forgetter
from xiangyue.features.households.kept import add_counter, add_keeper
from xiangyue.features.imports import afterwards
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registers import ImportRegister
from xiangyue.plugin.registry import (
    DashboardCard,
    Follows,
    HouseholdPanel,
    JobKind,
    NavItem,
    PersonPanel,
    ProfileSection,
    Schedule,
    SearchKind,
    WorkProvider,
)

add_keeper(keep_households)
add_counter(recount_households)
add_follower(follow_areas)
add_forgetter(forget_posts)
afterwards.add_follower("grids", jobs.say_import)


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    assert api_boundaries.bp is api_coverage.bp is api_posts.bp, "one blueprint, to which all modules add"
    return (api_posts.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem("grids", _l("Grids"), "grids.list_grids", policy.GRID_VIEW, "grids", "layout-grid", position=10),
        NavItem("grid_coverage", _l("Grid coverage"), "grids.show_coverage", policy.GRID_VIEW, "grids", "list-check",
                position=20),
        NavItem("grid_rules", _l("Rules for grids"), "grids.set_rules", policy.GRID_SETTINGS, "settings", "settings",
                position=40),
    )  # fmt: skip


@hookimpl
def register_household_panels() -> Sequence[HouseholdPanel]:
    return (points.PANEL,)


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (work.WORK, work.OWN)


@hookimpl
def register_dashboard_cards() -> Sequence[DashboardCard]:
    return (work.CARD,)


@hookimpl
def register_person_panels() -> Sequence[PersonPanel]:
    return (points.PERSON_PANEL,)


@hookimpl
def register_search_kinds() -> Sequence[SearchKind]:
    return (points.SEARCH,)


@hookimpl
def register_follows() -> Sequence[Follows]:
    return (points.FOLLOWS,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.SWEEP, boards_job.PRINT)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.DAILY,)


@hookimpl
def register_imports() -> Sequence[ImportRegister]:
    return (file_grids.REGISTER, file_homes.REGISTER)


@hookimpl
def register_profile_sections() -> Sequence[ProfileSection]:
    return (ProfileSection("grids", 35, apply_rules),)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS


@hookimpl
def import_commit_happened(uow: Uow, batch_id: int) -> None:
    jobs.sweep(uow)
