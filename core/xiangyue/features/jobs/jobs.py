"""Upkeep: old jobs and sent messages are cleared away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.jobs.models import FINAL_STATES, Job, OutboxMessage
from xiangyue.plugin.registry import JobKind, Schedule

KEEP_DAYS = 90
KEEP_RECURRING_DAYS = 7
KEEP_MESSAGES_DAYS = 14


def tidy(context: JobContext) -> dict[str, int]:
    """Delete what ended long ago; returns how many rows of each."""
    now = datetime.now(UTC)
    recurring = Job.params["schedule"].is_not(None)
    ended = Job.state.in_(FINAL_STATES)
    with context.uow() as uow:
        counts = {
            "jobs": delete(Job).where(ended, Job.finished_at < now - timedelta(days=KEEP_DAYS)),
            "recurring": delete(Job).where(
                ended, recurring, Job.finished_at < now - timedelta(days=KEEP_RECURRING_DAYS)
            ),
            "messages": delete(OutboxMessage).where(OutboxMessage.sent_at < now - timedelta(days=KEEP_MESSAGES_DAYS)),
        }
        return {
            key: uow.session.execute(  # type: ignore[attr-defined]
                statement, execution_options={"synchronize_session": False}
            ).rowcount
            for key, statement in counts.items()
        }


TIDY = JobKind("jobs.tidy", _l("Clearing away old work"), tidy)
DAILY = Schedule("jobs.tidy", TIDY.key, 86_400)
