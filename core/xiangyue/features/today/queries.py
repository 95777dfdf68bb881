"""What the first page asks: what waits for me, and whether the county still stands empty."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from xiangyue.access.models import Account
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.imports.models import ImportBatch


@dataclass(frozen=True, slots=True)
class Numbers:
    """My area in four numbers."""

    households: int
    persons: int
    away: int
    villages: int


_NUMBERS = """
SELECT (SELECT count(*) FROM household h WHERE {scope:h} AND h.state = 'active'),
       (SELECT count(*) FROM person p WHERE {scope:p} AND p.state = 'active'),
       (SELECT count(*) FROM person p WHERE {scope:p} AND p.state = 'active' AND p.away),
       (SELECT count(*) FROM area a WHERE {scope:a} AND a.level = 'village' AND a.active)
"""


def area_numbers(uow: Uow) -> Numbers:
    """Households, persons, persons away and villages inside the scope."""
    return Numbers(*scoped_rows(uow.session, _NUMBERS)[0])


def faulty_imports(uow: Uow) -> list[ImportBatch]:
    """My own imports that were checked and have cells to mend, oldest first."""
    errors = ImportBatch.counts["errors"].as_integer()
    statement = (
        select(ImportBatch)
        .where(ImportBatch.state == "checked", ImportBatch.created_by == uow.actor.account_id, errors > 0)
        .order_by(ImportBatch.id)
        .limit(20)
    )
    return list(uow.session.scalars(statement))


def ready_imports(uow: Uow) -> list[ImportBatch]:
    """My own imports that were checked without an error and wait to be taken over, oldest first."""
    errors = func.coalesce(ImportBatch.counts["errors"].as_integer(), 0)
    statement = (
        select(ImportBatch)
        .where(ImportBatch.state == "checked", ImportBatch.created_by == uow.actor.account_id, errors == 0)
        .order_by(ImportBatch.id)
        .limit(20)
    )
    return list(uow.session.scalars(statement))


def other_accounts(uow: Uow) -> int:
    """Accounts besides my own."""
    return uow.session.execute(select(func.count()).where(Account.id != uow.actor.account_id)).scalar_one()
