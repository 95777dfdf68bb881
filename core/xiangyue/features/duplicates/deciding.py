"""Parts of deciding on a pair, for the services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, Stale
from xiangyue.features.duplicates import pairs, policy, queries
from xiangyue.features.duplicates.models import DuplicatePair
from xiangyue.i18n import lazy_gettext as _l


def locked_pair(uow: Uow, id: int, version: int) -> tuple[DuplicatePair, list[Any]]:
    """The pair for writing, with its records. Raises NotFound, Stale."""
    queries.get_pair(uow, id)
    pair = uow.get_for_update(DuplicatePair, id)
    if pair.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"state": pair.state})
    model = queries.MODELS[pair.kind]
    return pair, [uow.get_for_update(model, record) for record in (pair.first_id, pair.second_id)]


def decide(uow: Uow, pair: DuplicatePair, state: str, note: str) -> None:
    """Set a pair's state with who and when, and what it rests on."""
    note = note.strip()
    if len(note) > policy.NOTE_LENGTH:
        raise Invalid({"note": [_l("At most %(limit)s characters.", limit=policy.NOTE_LENGTH)]})
    pair.state, pair.note = state, note
    pair.decided_at, pair.decided_by = datetime.now(UTC), uow.actor.account_id
    pair.decided_name = uow.actor.name or uow.actor.login
    pair.facts = pairs.facts_now(uow, pair.kind, pair.first_id, pair.second_id)
    pair.version += 1
    uow.session.flush()


def label_of(record: Any) -> str:
    """Name of a person, or of a household's head."""
    name: str = record.name if hasattr(record, "name") else record.head_name or record.code
    return name
