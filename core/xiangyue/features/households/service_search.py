"""Search rows of what was registered before the search knew of them; everything written since makes its own."""

from __future__ import annotations

from xiangyue.access.acts import acts
from xiangyue.access.crypto import CryptoError, TenantKeys
from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households import searchable
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, in_full, tail_index

#: Rows of one transaction: some hundred milliseconds of work.
BATCH = 5000

_UNHASHED = """
SELECT p.id, CASE WHEN p.id_number_tail IS NULL THEN p.id_number END, CASE WHEN p.phone_tail IS NULL THEN p.phone END
  FROM person p
 WHERE {tenant:p} AND (p.id_number IS NOT NULL AND p.id_number_tail IS NULL
                       OR p.phone IS NOT NULL AND p.phone_tail IS NULL)
 ORDER BY p.id LIMIT :limit
"""
_TAILS = {"id": "bigint", "id_number_tail": "bytea", "phone_tail": "bytea"}
# A number that was changed in between has its hash already, and keeps it.
_SET = """
UPDATE person p SET id_number_tail = coalesce(p.id_number_tail, s.id_number_tail),
                    phone_tail = coalesce(p.phone_tail, s.phone_tail)
  FROM stage_tail s WHERE {tenant:p} AND {tenant:s} AND p.id = s.id
"""
#: What stands for a value that does not open, so that it is not tried again each day.
_NONE = b""


@acts(None)
def index_households(uow: Uow, *, keys: TenantKeys) -> int:
    """Search rows for at most ``BATCH`` households that have none; how many there were."""
    found = searchable.households_unfound(uow, BATCH)
    searchable.write_pieces(uow, found)
    return len(found)


@acts(None)
def index_persons(uow: Uow, *, keys: TenantKeys) -> int:
    """Keyed hashes of the last four for at most ``BATCH`` persons that lack them; how many there were. The version
    stays: nothing that anybody may edit has changed."""
    found = scoped_rows(uow.session, _UNHASHED, {"limit": BATCH})

    def tail(column: str, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        try:
            return tail_index(keys, column, in_full(keys, uow.tenant_id, column, value)) or _NONE
        except CryptoError:
            return _NONE

    rows = ((id, tail(ID_NUMBER, id_number), tail(PHONE, phone)) for id, id_number, phone in found)
    if stage_rows(uow.session, "stage_tail", _TAILS, rows):
        scoped_sql(uow.session, _SET)
    return len(found)


@acts(None)
def tidy(uow: Uow) -> int:
    """Forget pieces of addresses that no household has any more; how many rows went."""
    return searchable.tidy_suffixes(uow)
