"""What plugins are told about posts, after the commit and by ids only."""

from __future__ import annotations

from xiangyue.db.uow import Uow
from xiangyue.features.organisations.models import PostHolder
from xiangyue.plugin.dispatch import publish


def tell(uow: Uow, row: PostHolder, action: str) -> None:
    """``action`` as in the audit trail."""
    uow.session.flush()
    publish(
        uow,
        "post_change_happened",
        organisation_id=row.organisation_id,
        holder_id=row.id,
        person_id=row.person_id or 0,
        action=action,
    )
