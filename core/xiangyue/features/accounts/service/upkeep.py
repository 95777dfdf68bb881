"""What is thrown away in time: sessions and links that ended long ago. The audit trail keeps that they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from xiangyue.access.acts import acts
from xiangyue.access.models import AccountSession, OneTimeLink
from xiangyue.db.uow import Uow
from xiangyue.features.accounts import policy


@acts(policy.ACCOUNT_MANAGE)
def sweep_sessions(uow: Uow) -> dict[str, int]:
    """Delete sessions and one-time links that ran out more than 30 days ago; returns how many of each."""
    before = datetime.now(UTC) - timedelta(days=policy.KEEP_ENDED_DAYS)
    found: dict[str, int] = {}
    for name, model in (("sessions", AccountSession), ("links", OneTimeLink)):
        statement = delete(model).where(model.expires_at < before).returning(model.id)
        ended = uow.session.scalars(statement.execution_options(synchronize_session=False)).all()
        found[name] = len(ended)
    return found
