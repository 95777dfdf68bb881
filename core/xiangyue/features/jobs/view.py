"""How a job is shown: its card, its line, its result."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import url_for
from markupsafe import Markup

from xiangyue.db.uow import Uow
from xiangyue.features.jobs.queries import may_steer
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.dispatch import guarded
from xiangyue.text.chinese import has_han
from xiangyue.web.components import JobCard, JobState
from xiangyue.web.pipeline import current_offer, current_uow, runtime
from xiangyue.web.shell import safe_next

STATES: dict[str, Any] = {
    "queued": _l("Waiting"),
    "running": _l("Running"),
    "succeeded": _l("Done"),
    "failed": _l("Failed"),
    "cancelled": _l("Cancelled"),
}


def label_of(job: Job) -> Any:
    """What the work is called; its key when the feature or plugin that brought it is gone."""
    return runtime().registry.job_label(job.kind)


def result_url(job: Job) -> str | None:
    """Where its result is, unless it belongs to a plugin that is off."""
    for contributor, kind in current_offer().each("jobs"):
        if kind.key == job.kind and kind.result_url is not None:
            address: str | None = guarded(
                current_uow(), contributor, f"jobs:{kind.key}", partial(kind.result_url, job), expect=str
            )
            return address if address is None or contributor.core else safe_next(address, "") or None
    return None


def result_text(job: Job) -> str | None:
    """What came of it, in a sentence."""
    for contributor, kind in current_offer().each("jobs"):
        if kind.key == job.kind and kind.result_text is not None:
            text = guarded(current_uow(), contributor, f"jobs:{kind.key}", partial(kind.result_text, job))
            return None if text is None else str(text)
    return None


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
    return Markup('<span lang="zh-CN">{}</span>').format(text) if has_han(text) else text


def step_of(job: Job) -> str:
    """What it does now, in the current language."""
    return _(job.step)


def card(uow: Uow, job: Job, *, url: str | None = None, result: bool = True, title: Any = None) -> JobCard:
    """The job's card. ``url``: the page that holds it, for polling; by default the job's own."""
    state, found = card_state(job), result_url(job) if result else None
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
        result_url=found,
        result_label=_l("Download the file") if found and found.startswith("/files/") else None,
        result_text=result_text(job) if result and state == "done" else None,
        started=job.started_at,
        finished=job.finished_at,
    )
