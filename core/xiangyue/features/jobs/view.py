"""How a job is shown: its card, its line, its result."""

from __future__ import annotations

import re
from typing import Any

from flask import url_for
from markupsafe import Markup

from xiangyue.db.uow import Uow
from xiangyue.features.jobs.queries import may_steer
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.registry import JobKind
from xiangyue.web.components import JobCard, JobState
from xiangyue.web.pipeline import runtime

STATES: dict[str, Any] = {
    "queued": _l("Waiting"),
    "running": _l("Running"),
    "succeeded": _l("Done"),
    "failed": _l("Failed"),
    "cancelled": _l("Cancelled"),
}
_CJK = re.compile(r"[\u3400-\u9fff]")


def kind_of(job: Job) -> JobKind | None:
    return runtime().registry.jobs.get(job.kind)


def label_of(job: Job) -> Any:
    """What the work is called; its key when the feature that brought it is gone."""
    kind = kind_of(job)
    return kind.label if kind is not None else job.kind


def result_url(job: Job) -> str | None:
    kind = kind_of(job)
    if kind is None or kind.result_url is None:
        return None
    return kind.result_url(job)


def card_state(job: Job) -> JobState:
    """The state as the card knows it: a running job that shall stop is ``cancelling``."""
    if job.state == "running" and job.cancel_requested:
        return "cancelling"
    states: dict[str, JobState] = {
        "queued": "queued",
        "running": "running",
        "succeeded": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    }
    return states[job.state]


def worded(text: str) -> Any:
    """Text written in the language of whoever started the job, marked when it is Chinese."""
    return Markup('<span lang="zh-CN">{}</span>').format(text) if _CJK.search(text) else text


def step_of(job: Job) -> str:
    """What it does now, in the current language."""
    return _(job.step)


def card(uow: Uow, job: Job, *, url: str | None = None, result: bool = True, title: Any = None) -> JobCard:
    """The job's card. ``url``: the page that holds it, for polling; by default the job's own."""
    state = card_state(job)
    return JobCard(
        id=job.id,
        title=title or label_of(job),
        state=state,
        url=url or url_for("jobs.show_job", id=job.id),
        done=job.done if job.total else None,
        total=job.total or None,
        doing=step_of(job) if state == "running" else "",
        error=worded(job.error) if job.error else "",
        cancel_url=url_for("jobs.cancel", id=job.id) if may_steer(uow, job) else None,
        result_url=result_url(job) if result else None,
        started=job.started_at,
        finished=job.finished_at,
    )
