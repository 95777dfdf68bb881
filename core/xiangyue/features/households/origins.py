"""One owner per fact: what a person put right by hand is not overwritten by a roster; it waits for a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, encrypt
from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk_stage import ID_NUMBER, PHONE, PersonValues
from xiangyue.features.households.models_facts import FactConflict, FactOrigin

# ruff: noqa: S608 - statements are put together from constants of this module only

#: Facts of a person that are watched.
FIELDS = ("name", "sex", "birth_date", "nationality", ID_NUMBER, PHONE)

_DIFFERS = {
    "name": "s.name <> p.name",
    "sex": "s.sex <> 0 AND s.sex <> p.sex",
    "birth_date": "s.birth_date IS NOT NULL AND s.birth_date IS DISTINCT FROM p.birth_date",
    "nationality": "s.nationality <> '' AND s.nationality <> p.nationality",
    ID_NUMBER: "s.id_number_index IS NOT NULL AND s.id_number_index IS DISTINCT FROM p.id_number_index",
    PHONE: "s.phone_index IS NOT NULL AND s.phone_index IS DISTINCT FROM p.phone_index",
}
_ANY = "SELECT 1 FROM fact_origin o WHERE {tenant:o} LIMIT 1"
#: Staged values that are not to be written, by row and field.
_HELD = f"""
SELECT s.n, s.id, o.field
  FROM stage_person s JOIN person p ON p.id = s.id JOIN fact_origin o ON o.owner_id = p.id
 WHERE {{tenant:s}} AND {{scope:p}} AND {{tenant:o}} AND s.skip IS NULL
   AND CASE o.field {" ".join(f"WHEN '{name}' THEN {test}" for name, test in _DIFFERS.items())} ELSE false END
"""
#: Such a value is as if the roster had none: what stands stays.
_LET_GO = """
UPDATE stage_person s
   SET name = CASE WHEN h.name THEN p.name ELSE s.name END,
       sort_key = CASE WHEN h.name THEN p.sort_key ELSE s.sort_key END,
       sex = CASE WHEN h.sex THEN 0 ELSE s.sex END,
       birth_date = CASE WHEN h.birth_date THEN NULL ELSE s.birth_date END,
       nationality = CASE WHEN h.nationality THEN '' ELSE s.nationality END,
       id_number_index = CASE WHEN h.id_number THEN NULL ELSE s.id_number_index END,
       id_number_tail = CASE WHEN h.id_number THEN NULL ELSE s.id_number_tail END,
       phone_index = CASE WHEN h.phone THEN NULL ELSE s.phone_index END,
       phone_tail = CASE WHEN h.phone THEN NULL ELSE s.phone_tail END
  FROM stage_held h, person p
 WHERE {tenant:s} AND {tenant:h} AND {tenant:p} AND h.n = s.n AND p.id = s.id
"""
#: What was taken once and has been put right by hand since is asked about again; what was not wanted is not.
_WAIT = """
INSERT INTO fact_conflict (tenant_id, owner_id, field, value, cipher, digest, batch_id, source)
SELECT w.tenant_id, w.owner_id, w.field, w.value, w.cipher, w.digest, CAST(:batch AS bigint), :source
  FROM stage_waiting w WHERE {tenant:w} ORDER BY w.owner_id, w.field
ON CONFLICT (tenant_id, owner_id, field, digest) DO UPDATE
   SET batch_id = excluded.batch_id, source = excluded.source, state = 'open', decided_at = NULL, decided_by = NULL,
       decided_name = '', version = fact_conflict.version + 1, updated_at = now()
 WHERE fact_conflict.state <> 'kept'
"""
_WAITING = {"owner_id": "bigint", "field": 'text COLLATE "C"', "value": "text", "cipher": "bytea", "digest": "bytea"}


def note_origins(uow: Uow, person_id: int, fields: Iterable[str], *, kind: str = "form") -> None:
    """Somebody has set these facts of a person by hand."""
    actor = uow.actor
    rows = [
        {
            "tenant_id": uow.tenant_id,
            "owner_id": person_id,
            "field": field,
            "kind": kind,
            "account_id": actor.account_id,
            "by_name": actor.name or actor.login,
        }
        for field in fields
        if field in FIELDS
    ]
    if rows:
        new = insert(FactOrigin).values(rows)
        changed = {name: new.excluded[name] for name in ("kind", "account_id", "by_name")}
        uow.session.execute(
            new.on_conflict_do_update(
                index_elements=["tenant_id", "owner_id", "field"], set_={**changed, "at": func.now()}
            )
        )


def forget_waiting(uow: Uow, batch_id: int) -> None:
    """What an import offered goes with its undo; what was decided stays."""
    statement = delete(FactConflict).where(FactConflict.batch_id == batch_id, FactConflict.state == "open")
    uow.session.execute(statement, execution_options={"synchronize_session": False})


def hold_back(
    uow: Uow,
    keys: TenantKeys,
    persons: Sequence[PersonValues],
    *,
    batch_id: int | None,
    source: str,
    dry_run: bool,
) -> int:
    """Before staged persons are compared: take out what would overwrite a fact that somebody set by hand, and let it
    wait (not in a dry run). Returns how many values. ``persons`` are the staged ones by number."""
    if not scoped_rows(uow.session, _ANY):
        return 0
    held: dict[int, set[str]] = {}
    waiting = []
    for n, id, field in scoped_rows(uow.session, _HELD):
        held.setdefault(n, set()).add(field)
        waiting.append((id, field, *_kept(keys, uow.tenant_id, field, persons[n])))
    if not held:
        return 0
    columns = {"n": "int", **dict.fromkeys(FIELDS, "bool")}
    stage_rows(uow.session, "stage_held", columns, ((n, *(f in found for f in FIELDS)) for n, found in held.items()))
    scoped_sql(uow.session, _LET_GO)
    if not dry_run:
        stage_rows(uow.session, "stage_waiting", _WAITING, waiting)
        scoped_sql(uow.session, _WAIT, {"batch": batch_id, "source": source})
    return len(waiting)


def _kept(keys: TenantKeys, tenant_id: int, field: str, person: Mapping[str, Any]) -> tuple[str, bytes | None, bytes]:
    """(text, encrypted, keyed hash) of a value that waits."""
    text = str(person.get(field) or "")
    digest = blind_index(keys, f"fact.{field}", text)
    if field in (ID_NUMBER, PHONE):
        return "", encrypt(keys, text, column_context(tenant_id, f"person.{field}")), digest
    return text, None, digest
