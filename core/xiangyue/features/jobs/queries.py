"""Reads of jobs: everyone's for those who may, one's own for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select

from xiangyue.db.paging import decode_ids, encode_cursor
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.jobs.policy import JOB_MANAGE, JOB_VIEW
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job

#: Failed work stays on its starter's work list this long.
REMIND_DAYS = 3


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, newest first, with the cursors of its neighbours."""

    jobs: list[Job]
    next: str | None
    back: str | None


def _visible(uow: Uow) -> list[ColumnElement[bool]]:
    if uow.actor.can(JOB_VIEW):
        return []
    return [Job.created_by == (uow.actor.account_id or 0)]


def _filtered(uow: Uow, statement: Select[Job], state: str, kind: str, mine: bool) -> Select[Job]:
    statement = statement.where(*_visible(uow))
    if state == "open":
        statement = statement.where(Job.state.in_(("queued", "running")))
    elif state:
        statement = statement.where(Job.state == state)
    if kind:
        statement = statement.where(Job.kind == kind)
    if mine:
        statement = statement.where(Job.created_by == (uow.actor.account_id or 0))
    else:
        # What runs by itself every minute would bury everything that somebody waits for.
        recurring = Job.params["schedule"].is_not(None)
        statement = statement.where(or_(~recurring, Job.state != "succeeded"))
    return statement


def find_jobs(
    uow: Uow,
    *,
    state: str = "",
    kind: str = "",
    mine: bool = False,
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> JobPage:
    """Jobs the actor may see, newest first. ``state``: one of a job's or ``open``. Raises Invalid on a bad cursor.

    Recurring work that went well is left out.
    """
    statement = _filtered(uow, select(Job), state, kind, mine)
    if before is not None:
        (edge,) = decode_ids(before)
        rows = list(uow.session.scalars(statement.where(Job.id > edge).order_by(Job.id).limit(limit + 1)))
        more = len(rows) > limit
        rows = rows[:limit][::-1]
        return JobPage(rows, _cursor(rows, -1), _cursor(rows, 0) if more else None)
    if after is not None:
        (edge,) = decode_ids(after)
        statement = statement.where(Job.id < edge)
    rows = list(uow.session.scalars(statement.order_by(Job.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return JobPage(rows, _cursor(rows, -1) if more else None, _cursor(rows, 0) if after else None)


def _cursor(rows: list[Job], index: int) -> str | None:
    return encode_cursor(rows[index].id) if rows else None


def count_jobs(uow: Uow, *, state: str = "", kind: str = "", mine: bool = False) -> int:
    statement = _filtered(uow, select(Job), state, kind, mine)
    return uow.session.scalars(statement.with_only_columns(func.count())).one()


def get_job(uow: Uow, id: int) -> Job:
    """A job the actor may see; NotFound for any other."""
    job = uow.session.scalars(select(Job).where(Job.id == id, *_visible(uow))).one_or_none()
    if job is None:
        raise NotFound(_l("There is no such work, or somebody else started it."))
    return job


def may_steer(uow: Uow, job: Job) -> bool:
    """Whether the actor may cancel or repeat the job: his or her own, or with the right to do so."""
    own = job.created_by is not None and job.created_by == uow.actor.account_id
    return own or uow.actor.can(JOB_MANAGE)


def failed_lately(uow: Uow) -> list[Job]:
    """The actor's own work of the last days that failed and was not repeated."""
    if uow.actor.account_id is None:
        return []
    statement = (
        select(Job)
        .where(
            Job.created_by == uow.actor.account_id,
            Job.state == "failed",
            Job.finished_at > datetime.now(UTC) - timedelta(days=REMIND_DAYS),
        )
        .order_by(Job.id.desc())
        .limit(10)
    )
    return list(uow.session.scalars(statement))
