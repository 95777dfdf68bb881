"""Which answer of a person counts, when two records of one become one and two again."""

from __future__ import annotations

from sqlalchemy import update

from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.privacy.models_consent import PersonConsent

_LAST = """
UPDATE person_consent c SET current = true
 WHERE {tenant:c} AND c.person_id = ANY(:persons) AND NOT EXISTS (
       SELECT 1 FROM person_consent o
        WHERE {tenant:o} AND o.person_id = c.person_id AND o.notice_id = c.notice_id
          AND (o.said_on, o.id) > (c.said_on, c.id))
"""


def none_counts(uow: Uow, *person_ids: int) -> None:
    """Before consents go from one record to another, which may have answered the same notice; see `last_counts`."""
    uow.session.flush()
    uow.session.execute(
        update(PersonConsent).where(PersonConsent.person_id.in_(person_ids)).values(current=False),
        execution_options={"synchronize_session": False},
    )


def last_counts(uow: Uow, *person_ids: int) -> None:
    """Afterwards: of all that is with a record, what was said last to a notice counts, a withdrawal no less."""
    scoped_sql(uow.session, _LAST, {"persons": list(person_ids)})
    uow.session.expire_all()


__all__ = ["last_counts", "none_counts"]
