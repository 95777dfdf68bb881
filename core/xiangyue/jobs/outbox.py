"""Outbox: messages are written with what they speak of and leave after the commit, at least once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import redis
import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from xiangyue.db.uow import Uow
from xiangyue.jobs.models import OutboxMessage
from xiangyue.jobs.queues import push
from xiangyue.runtime import Runtime, runtime_of

log = structlog.get_logger()

#: Topic of messages that say "job ``job_id`` waits".
JOB_TOPIC = "job"


def post(uow: Uow, *, topic: str, payload: dict[str, Any], delay: float = 0) -> OutboxMessage:
    """Write a message in the caller's transaction; it is sent after the commit, or ``delay`` seconds later."""
    if delay:
        payload = {**payload, "not_before": time.time() + delay}
    message = OutboxMessage(topic=topic, payload=payload)
    uow.session.add(message)
    runtime = runtime_of(uow)
    if runtime is not None and not delay and not uow.session.info.get("relay_after_commit"):
        uow.session.info["relay_after_commit"] = True
        uow.after_commit(lambda: _send_now(runtime, uow))
    return message


def _send_now(runtime: Runtime, uow: Uow) -> None:
    """Best effort: what cannot leave now is swept by the scheduler."""
    uow.session.info["relay_after_commit"] = False
    try:
        relay(runtime, uow.tenant_id)
    except (redis.RedisError, SQLAlchemyError) as error:
        log.warning("outbox_waits", tenant=uow.tenant_id, error=type(error).__name__)


def relay(runtime: Runtime, tenant_id: int, *, limit: int = 500) -> int:
    """Send the tenant's due messages in order; returns how many.

    Each is marked in the transaction that sent it: a crash in between sends it again, two relays at once skip each
    other's rows. Raises redis.RedisError with all marks undone when Redis is away.
    """
    not_before = OutboxMessage.payload["not_before"]
    statement = (
        select(OutboxMessage)
        .where(
            OutboxMessage.sent_at.is_(None),
            or_(not_before.is_(None), not_before.as_float() <= time.time()),
        )
        .order_by(OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with runtime.uow(tenant_id) as uow:
        messages = uow.session.scalars(statement).all()
        for message in messages:
            if message.topic == JOB_TOPIC:
                push(runtime, tenant_id, int(message.payload["job_id"]), message.id)
            else:
                log.error("outbox_topic_unknown", tenant=tenant_id, topic=message.topic, id=message.id)
            message.sent_at = datetime.now(UTC)
    return len(messages)
