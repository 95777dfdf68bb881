"""Whose a fact is: noted where somebody puts it right by hand, or an import speaks for the department that answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from xiangyue.db.sql import scoped_sql
from xiangyue.db.uow import Uow
from xiangyue.features.households.bulk_stage import ID_NUMBER, PHONE
from xiangyue.features.households.models_facts import FactOrigin

# ruff: noqa: S608 - statements are put together from constants of this module only

#: Facts that are watched, besides ``custom.<key>`` of own fields; of yearly incomes ``income.<year>``.
FIELDS = {
    "person": ("name", "sex", "birth_date", "nationality", ID_NUMBER, PHONE),
    "household": ("address", "income"),
}
CUSTOM, INCOME = "custom.", "income."


@dataclass(frozen=True, slots=True)
class Speaks:
    """For which department an import speaks, and the facts of its file for which that answers, by entity and as
    `FIELDS` and ``custom.<key>``; "" and none: for nobody."""

    department: str = ""
    facts: Collection[tuple[str, str]] = field(default_factory=frozenset)

    def owns(self, entity: str, fact: str) -> bool:
        return (entity, "income" if fact.startswith(INCOME) else fact) in self.facts

    def of(self, entity: str) -> list[str]:
        return sorted(fact for known, fact in self.facts if known == entity)


NOBODY = Speaks()


def note_origins(uow: Uow, entity: str, owner_id: int, fields: Iterable[str], *, kind: str = "form") -> None:
    """Somebody has set these facts of a person or household by hand; what is not watched is left out."""
    actor = uow.actor
    rows = [
        {
            "tenant_id": uow.tenant_id,
            "entity": entity,
            "owner_id": owner_id,
            "field": name,
            "kind": kind,
            "account_id": actor.account_id,
            "by_name": actor.name or actor.login,
        }
        for name in fields
        if name in FIELDS[entity] or name.startswith((CUSTOM, INCOME))
    ]
    if rows:
        new = insert(FactOrigin).values(rows)
        changed = {name: new.excluded[name] for name in ("kind", "account_id", "by_name")}
        uow.session.execute(
            new.on_conflict_do_update(
                index_elements=["tenant_id", "entity", "owner_id", "field"], set_={**changed, "at": func.now()}
            )
        )


def _note(stage: str, entity: str, facts: Iterable[tuple[str, str, str]]) -> str:
    """Notes what the rows of a stage say of ``:facts``. ``facts``: (name, as it is noted, when the row says it)."""
    said = ", ".join(f"CASE WHEN '{name}' = ANY(:facts) AND {test} THEN {noted} END" for name, noted, test in facts)
    return f"""
INSERT INTO fact_department (tenant_id, entity, owner_id, batch_id, department, fields)
SELECT w.tenant_id, '{entity}', w.id, CAST(:batch AS bigint), :department, to_jsonb(w.said)
  FROM (SELECT s.tenant_id, coalesce(s.id, s.new_id) AS id, array_remove(ARRAY[{said}], NULL) || coalesce((
               SELECT array_agg('custom.' || f.key ORDER BY f.key)
                 FROM stage_value v JOIN custom_field f ON f.id = v.field_id
                WHERE {{tenant:v}} AND {{tenant:f}} AND v.entity = '{entity}' AND v.n = s.n
                  AND 'custom.' || f.key = ANY(:facts)), '{{}}') AS said
          FROM {stage} s WHERE {{tenant:s}} AND s.skip IS NULL) w
 WHERE w.said <> '{{}}' ORDER BY w.id
ON CONFLICT (tenant_id, entity, owner_id, batch_id) DO NOTHING
"""


_NOTE = {
    "person": _note(
        "stage_person",
        "person",
        [
            ("name", "'name'", "s.name <> ''"),
            ("sex", "'sex'", "s.sex <> 0"),
            ("birth_date", "'birth_date'", "s.birth_date IS NOT NULL"),
            ("nationality", "'nationality'", "s.nationality <> ''"),
            (ID_NUMBER, f"'{ID_NUMBER}'", "s.id_number_index IS NOT NULL"),
            (PHONE, f"'{PHONE}'", "s.phone_index IS NOT NULL"),
        ],
    ),
    "household": _note(
        "stage_household",
        "household",
        [
            ("address", "'address'", "s.address <> ''"),
            ("income", "'income.' || s.income_year", "s.income_year IS NOT NULL"),
        ],
    ),
}


def note_department(uow: Uow, speaks: Speaks, batch_id: int) -> None:
    """What the staged rows, which were just written, say for the department that answers for it."""
    for entity, statement in _NOTE.items():
        if facts := speaks.of(entity):
            params = {"batch": batch_id, "department": speaks.department, "facts": facts}
            scoped_sql(uow.session, statement, params)


_FORGET = (
    """
UPDATE fact_conflict c
   SET offers = (SELECT coalesce(jsonb_agg(o.value ORDER BY o.place), '[]')
                   FROM jsonb_array_elements(c.offers) WITH ORDINALITY AS o(value, place)
                  WHERE CAST(o.value->>'batch' AS bigint) IS DISTINCT FROM CAST(:batch AS bigint))
 WHERE {tenant:c} AND c.state = 'open'
   AND c.offers @> jsonb_build_array(jsonb_build_object('batch', CAST(:batch AS bigint)))
""",
    "DELETE FROM fact_conflict c WHERE {tenant:c} AND c.batch_id = :batch AND c.state = 'open' AND c.offers = '[]'",
    """
UPDATE fact_conflict c
   SET batch_id = CAST(c.offers->-1->>'batch' AS bigint), source = c.offers->-1->>'source',
       department = c.offers->-1->>'department', offers = c.offers - (-1), version = c.version + 1, updated_at = now()
 WHERE {tenant:c} AND c.batch_id = :batch AND c.state = 'open'
""",
    "DELETE FROM fact_department d WHERE {tenant:d} AND d.batch_id = :batch",
)


def forget_offers(uow: Uow, batch_id: int) -> None:
    """What an import alone offered goes with its undo, and what it said for a department; a value that an earlier one
    offered too belongs to that again. What was decided stays."""
    for statement in _FORGET:
        scoped_sql(uow.session, statement, {"batch": batch_id})
    uow.session.expire_all()


_REPEATED = """
DELETE FROM fact_department d
 WHERE {tenant:d} AND d.at < :before AND EXISTS (
       SELECT 1 FROM fact_department e
        WHERE {tenant:e} AND e.entity = d.entity AND e.owner_id = d.owner_id AND e.department = d.department
          AND e.id > d.id AND e.at < :before AND e.fields @> d.fields)
"""


def forget_repeated(uow: Uow, before: datetime) -> None:
    """Of what imports before a day said for a department, keep the last word: they can no longer be undone."""
    scoped_sql(uow.session, _REPEATED, {"before": before})
