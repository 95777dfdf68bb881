"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.jobs import api, commands, jobs, pages, policy, queries, view
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem, WorkItem, WorkProvider


def find_failed(uow: Uow) -> list[WorkItem]:
    """My work that failed and waits for me to look at it."""
    return [
        WorkItem(
            title=view.label_of(job),
            detail=_l("It failed and nothing of it was kept."),
            url=url_for("jobs.show_job", id=job.id),
            act=_l("See why"),
            state="late",
        )
        for job in queries.failed_lately(uow)
    ]


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="jobs",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=(
            NavItem(
                "jobs",
                _l("Background work"),
                "jobs.list_jobs",
                None,
                group="settings",
                icon="list-check",
                position=80,
                site="both",
            ),
        ),
        work=(WorkProvider("jobs.failed", find_failed),),
        jobs=(jobs.TIDY,),
        schedules=(jobs.DAILY,),
        role_templates=policy.ROLE_TEMPLATES,
        translations=Path(__file__).parent / "translations",
        commands=(commands.worker, commands.scheduler),
        actions={"job.cancel": _l("Cancelled work"), "job.repeat": _l("Repeated work")},
    )
