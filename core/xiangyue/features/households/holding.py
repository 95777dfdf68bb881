"""One owner per fact: what a person put right by hand, or the department said that answers for it, is not overwritten
by an import that does not speak for that department; it waits for a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xiangyue.access.crypto import TenantKeys, blind_index, column_context, encrypt
from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk_stage import ID_NUMBER, PHONE, PersonValues, Prepared
from xiangyue.features.households.origins import FIELDS, Speaks
from xiangyue.text.decimals import of_hundredths

# ruff: noqa: S608 - statements are put together from constants of this module only

_DIFFERS = {
    "name": "s.name <> p.name",
    "sex": "s.sex <> 0 AND s.sex <> p.sex",
    "birth_date": "s.birth_date IS NOT NULL AND s.birth_date IS DISTINCT FROM p.birth_date",
    "nationality": "s.nationality <> '' AND s.nationality <> p.nationality",
    ID_NUMBER: "s.id_number_index IS NOT NULL AND s.id_number_index IS DISTINCT FROM p.id_number_index",
    PHONE: "s.phone_index IS NOT NULL AND s.phone_index IS DISTINCT FROM p.phone_index",
}
_ANY = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM fact_origin o WHERE {tenant:o})
    OR EXISTS (SELECT 1 FROM fact_department d WHERE {tenant:d})
"""
#: Facts of the staged records that have an owner.
_OWNED = """
SELECT o.owner_id, o.field FROM fact_origin o
 WHERE {{tenant:o}} AND o.entity = '{entity}' AND o.owner_id = ANY(ARRAY(
       SELECT a.id FROM {stage} a WHERE {{tenant:a}} AND a.id IS NOT NULL AND a.skip IS NULL))
UNION
SELECT d.owner_id, jsonb_array_elements_text(d.fields) FROM fact_department d
 WHERE {{tenant:d}} AND d.entity = '{entity}' AND d.owner_id = ANY(ARRAY(
       SELECT a.id FROM {stage} a WHERE {{tenant:a}} AND a.id IS NOT NULL AND a.skip IS NULL))
"""
_STAGES = {"household": "stage_household", "person": "stage_person"}
THEIRS = {entity: _OWNED.format(entity=entity, stage=stage) for entity, stage in _STAGES.items()}
#: Staged values that are not to be written, by row and field.
_HELD_PERSON = f"""
SELECT s.n, s.id, t.field
  FROM ({THEIRS["person"]}) t JOIN stage_person s ON s.id = t.owner_id JOIN person p ON p.id = s.id
 WHERE {{tenant:s}} AND {{scope:p}} AND s.skip IS NULL
   AND CASE t.field {" ".join(f"WHEN '{name}' THEN {test}" for name, test in _DIFFERS.items())} ELSE false END
"""
_HELD_HOUSEHOLD = f"""
SELECT s.n, s.id, t.field, CASE t.field WHEN 'address' THEN s.address ELSE CAST(s.income AS text) END
  FROM ({THEIRS["household"]}) t JOIN stage_household s ON s.id = t.owner_id JOIN household h ON h.id = s.id
 WHERE {{tenant:s}} AND {{scope:h}} AND s.skip IS NULL AND (
       (t.field = 'address' AND s.address <> '' AND s.address <> h.address)
       OR (t.field = 'income.' || s.income_year AND NOT EXISTS (
           SELECT 1 FROM household_income i
            WHERE {{tenant:i}} AND i.household_id = h.id AND i.year = s.income_year AND i.amount = s.income)))
"""
_HELD_VALUE = """
SELECT v.entity, v.n, s.id, t.field, v.field_id, v.text_value, v.int_value, v.date_value, f.type
  FROM ({theirs}) t JOIN {stage} s ON s.id = t.owner_id JOIN stage_value v ON v.n = s.n
  JOIN custom_field f ON f.id = v.field_id AND 'custom.' || f.key = t.field
 WHERE {{tenant:s}} AND {{tenant:v}} AND {{tenant:f}} AND v.entity = '{entity}' AND s.skip IS NULL AND NOT EXISTS (
       SELECT 1 FROM custom_value c
        WHERE {{tenant:c}} AND c.field_id = v.field_id AND c.owner_id = s.id
          AND (c.text_value, c.int_value, c.date_value)
              IS NOT DISTINCT FROM (v.text_value, v.int_value, v.date_value))
"""
#: Such a value is as if the roster had none: what stands stays.
_LET_GO_PERSON = """
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
_LET_GO_HOUSEHOLD = """
UPDATE stage_household s
   SET address = CASE WHEN h.address THEN '' ELSE s.address END,
       income_year = CASE WHEN h.income THEN NULL ELSE s.income_year END,
       income = CASE WHEN h.income THEN NULL ELSE s.income END
  FROM stage_held_home h WHERE {tenant:s} AND {tenant:h} AND h.n = s.n
"""
_LET_GO_VALUE = """
UPDATE stage_value v SET known = true FROM stage_held_value h
 WHERE {tenant:v} AND {tenant:h} AND v.entity = h.entity AND v.n = h.n AND v.field_id = h.field_id
"""
#: What was taken once and has been put right by hand since is asked about again; what was not wanted is not.
_WAIT = """
INSERT INTO fact_conflict (tenant_id, entity, owner_id, field, value, cipher, digest, batch_id, source, department)
SELECT w.tenant_id, w.entity, w.owner_id, w.field, w.value, w.cipher, w.digest, CAST(:batch AS bigint), :source,
       :department
  FROM stage_waiting w WHERE {tenant:w} ORDER BY w.entity, w.owner_id, w.field
ON CONFLICT (tenant_id, entity, owner_id, field, digest) DO UPDATE
   SET batch_id = excluded.batch_id, source = excluded.source, department = excluded.department,
       offers = CASE WHEN fact_conflict.state <> 'open' THEN '[]'
                     WHEN fact_conflict.batch_id IS NOT DISTINCT FROM excluded.batch_id THEN fact_conflict.offers
                     ELSE fact_conflict.offers || jsonb_build_object('batch', fact_conflict.batch_id,
                          'source', fact_conflict.source, 'department', fact_conflict.department) END,
       state = 'open', decided_at = NULL, decided_by = NULL, decided_name = '', version = fact_conflict.version + 1,
       updated_at = now()
 WHERE fact_conflict.state <> 'kept'
"""
_C = 'text COLLATE "C"'
_WAITING = {
    "entity": _C, "owner_id": "bigint", "field": _C, "value": "text", "cipher": "bytea", "digest": "bytea",
}  # fmt: skip
_VALUES = {"entity": _C, "n": "int", "field_id": "bigint"}


@dataclass(slots=True)
class Held:
    """What is not to be written: rows of `_WAITING`, and of what it is taken out."""

    keys: TenantKeys
    tenant_id: int
    waiting: list[tuple[Any, ...]] = field(default_factory=list)
    persons: dict[int, set[str]] = field(default_factory=dict)
    homes: dict[int, set[str]] = field(default_factory=dict)
    values: list[tuple[str, int, int]] = field(default_factory=list)

    def keep(self, uow: Uow, speaks: Speaks, batch_id: int | None, source: str) -> None:
        """Let the values wait, as offered by this import."""
        if self.waiting:
            stage_rows(uow.session, "stage_waiting", _WAITING, self.waiting)
            params = {"batch": batch_id, "source": source, "department": speaks.department}
            scoped_sql(uow.session, _WAIT, params)

    def wait(self, entity: str, owner_id: int, fact: str, text: str) -> None:
        digest = blind_index(self.keys, f"fact.{fact}", text)
        cipher = None
        if text and entity == "person" and fact in (ID_NUMBER, PHONE):
            cipher, text = encrypt(self.keys, text, column_context(self.tenant_id, f"person.{fact}")), ""
        self.waiting.append((entity, owner_id, fact, text, cipher, digest))


def hold_back(
    uow: Uow,
    keys: TenantKeys,
    made: Prepared,
    *,
    speaks: Speaks,
    batch_id: int | None,
    source: str,
    dry_run: bool,
) -> int:
    """Before the staged rows are compared: take out what would overwrite a fact that has an owner for whom this import
    does not speak, and let it wait (not in a dry run). Returns how many values."""
    session = uow.session
    if not scoped_rows(session, _ANY):
        return 0
    held = Held(keys, uow.tenant_id)
    _find(uow, held, made.members, made.values, speaks)
    if held.persons:
        columns = {"n": "int", **dict.fromkeys(FIELDS["person"], "bool")}
        rows = ((n, *(f in found for f in FIELDS["person"])) for n, found in held.persons.items())
        stage_rows(session, "stage_held", columns, rows)
        scoped_sql(session, _LET_GO_PERSON)
    if held.homes:
        columns = {"n": "int", "address": "bool", "income": "bool"}
        homes = ((n, "address" in found, found != {"address"}) for n, found in held.homes.items())
        stage_rows(session, "stage_held_home", columns, homes)
        scoped_sql(session, _LET_GO_HOUSEHOLD)
    if held.values:
        stage_rows(session, "stage_held_value", _VALUES, held.values)
        scoped_sql(session, _LET_GO_VALUE)
    if not dry_run:
        held.keep(uow, speaks, batch_id, source)
    return len(held.waiting)


def _find(uow: Uow, held: Held, members: Sequence[PersonValues], values: Sequence[Any], speaks: Speaks) -> None:
    for n, id, fact in scoped_rows(uow.session, _HELD_PERSON):
        if not speaks.owns("person", fact):
            held.persons.setdefault(n, set()).add(fact)
            person: Mapping[str, Any] = members[n]
            held.wait("person", id, fact, str(person.get(fact) or ""))
    for n, id, fact, text in scoped_rows(uow.session, _HELD_HOUSEHOLD):
        if not speaks.owns("household", fact):
            held.homes.setdefault(n, set()).add(fact)
            held.wait("household", id, fact, text)
    if not values:
        return
    for entity, stage in _STAGES.items():
        statement = _HELD_VALUE.format(theirs=THEIRS[entity], stage=stage, entity=entity)
        for _entity, n, id, fact, field_id, *value, kind in scoped_rows(uow.session, statement):
            if not speaks.owns(entity, fact):
                held.values.append((entity, n, field_id))
                held.wait(entity, id, fact, _as_text(kind, *value))


def _as_text(kind: str, text: str | None, number: int | None, day: date | None) -> str:
    """A value of an own field as a form would send it."""
    if kind == "boolean":
        return "true" if number else "false"
    if day is not None:
        return day.isoformat()
    if number is None:
        return text or ""
    return str(of_hundredths(number) if kind == "decimal" else number)


__all__ = ["THEIRS", "Held", "hold_back"]
