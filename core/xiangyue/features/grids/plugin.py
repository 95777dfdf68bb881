"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
from xiangyue.features.grids import jobs, policy
from xiangyue.features.grids.keeping import keep_households
from xiangyue.features.households.kept import add_keeper
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, Schedule

add_keeper(keep_households)


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.SWEEP,)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.DAILY,)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return policy.ACTIONS


@hookimpl
def import_commit_happened(uow: Uow, batch_id: int) -> None:
    jobs.sweep(uow)
