"""What the first page asks: what waits for me, and whether the county still stands empty."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from xiangyue.access.models import Account, OneTimeLink
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow


@dataclass(frozen=True, slots=True)
class Numbers:
    """My area in four numbers."""

    households: int
    persons: int
    away: int
    villages: int


# Households know how many persons they have: counted together, from an index alone.
_NUMBERS = """
SELECT r.households, r.persons,
       (SELECT count(*) FROM person p WHERE {scope:p} AND p.state = 'active' AND p.away),
       (SELECT count(*) FROM area a WHERE {scope:a} AND a.level = 'village' AND a.active)
  FROM (SELECT count(*) FILTER (WHERE h.state = 'active') AS households, coalesce(sum(h.person_count), 0) AS persons
          FROM household h WHERE {scope:h}) r
"""


def area_numbers(uow: Uow) -> Numbers:
    """Households, persons, persons away and villages inside the scope."""
    return Numbers(*scoped_rows(uow.session, _NUMBERS)[0])


def unused_accounts(uow: Uow) -> int:
    """Accounts whose holder never set a password and has no link left to set one."""
    valid = select(OneTimeLink.id).where(
        OneTimeLink.account_id == Account.id, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > func.now()
    )
    statement = select(func.count()).where(
        Account.state == "active", Account.password_hash == "", ~valid.correlate(Account).exists()
    )
    return uow.session.execute(statement).scalar_one()


def other_accounts(uow: Uow) -> int:
    """Accounts besides my own."""
    return uow.session.execute(select(func.count()).where(Account.id != uow.actor.account_id)).scalar_one()
