"""Values that a bulk write clears, because a file that changes some columns says so (清空): compared, held back where
somebody else answers for them, written, and noted for the import's undo.

They stand in ``stage_clear``; a roster never has any, and pays nothing.
"""

from __future__ import annotations

from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households import searchable
from xiangyue.features.households.bulk_stage import PHONE, VALUE_TEXT, Prepared
from xiangyue.features.households.holding import THEIRS, Held
from xiangyue.features.households.origins import Speaks

# ruff: noqa: S608 - statements are put together from constants of this module only

_C = 'text COLLATE "C"'
_STAGE = {
    "entity": _C, "n": "int", "fact": _C, "id": "bigint", "field_id": "bigint", "area_code": "bigint",
    "before": "text", "does": "bool DEFAULT false",
}  # fmt: skip
_STAGES = (("household", "stage_household"), ("person", "stage_person"))

#: Finds the records, and what stands there that would go.
_COMPARE = (
    *(
        f"""
UPDATE stage_clear c SET id = o.id, area_code = o.area_code FROM {stage} s, {entity} o
 WHERE {{tenant:c}} AND {{tenant:s}} AND {{scope:o}} AND c.entity = '{entity}' AND s.n = c.n AND s.skip IS NULL
   AND o.id = s.id
"""
        for entity, stage in _STAGES
    ),
    f"""
UPDATE stage_clear c SET does = true, before = CASE c.fact WHEN '{PHONE}' THEN '•••' ELSE p.nationality END
  FROM person p
 WHERE {{tenant:c}} AND {{tenant:p}} AND c.entity = 'person' AND p.id = c.id
   AND ((c.fact = '{PHONE}' AND p.phone_index IS NOT NULL) OR (c.fact = 'nationality' AND p.nationality <> ''))
""",
    """
UPDATE stage_clear c SET does = true, before = h.address FROM household h
 WHERE {tenant:c} AND {tenant:h} AND c.entity = 'household' AND c.fact = 'address' AND h.id = c.id AND h.address <> ''
""",
    """
UPDATE stage_clear c SET does = true, before = CAST(i.amount AS text) FROM household_income i
 WHERE {tenant:c} AND {tenant:i} AND c.entity = 'household' AND i.household_id = c.id AND c.fact = 'income.' || i.year
""",
    f"""
UPDATE stage_clear c
   SET does = true, field_id = f.id, before = coalesce({VALUE_TEXT}, '')
  FROM custom_field f, custom_value v
 WHERE {{tenant:c}} AND {{tenant:f}} AND {{tenant:v}} AND f.entity = c.entity AND c.fact = 'custom.' || f.key
   AND v.field_id = f.id AND v.owner_id = c.id
""",
)
_OWNED = """
SELECT c.n, c.id, c.fact FROM stage_clear c JOIN ({theirs}) t ON t.owner_id = c.id AND t.field = c.fact
 WHERE {{tenant:c}} AND c.entity = '{entity}' AND c.does
"""
_LET_GO = """
UPDATE stage_clear c SET does = false
 WHERE {tenant:c} AND c.entity = :entity AND c.n = :n AND c.fact = :fact
"""
_CHANGED = tuple(
    f"""
UPDATE {stage} s SET changed = true FROM stage_clear c
 WHERE {{tenant:s}} AND {{tenant:c}} AND c.entity = '{entity}' AND c.n = s.n AND c.does
"""
    for entity, stage in _STAGES
)
#: As samples and the trail name it.
_KEY = "CASE WHEN c.fact LIKE 'income.%' THEN 'income' ELSE c.fact END"
_OWNERS = """
SELECT c.entity, c.id, coalesce(p.name, h.head_name, ''), c.area_code,
       jsonb_object_agg({key}, c.before) || coalesce(jsonb_object_agg('income_year', split_part(c.fact, '.', 2))
           FILTER (WHERE c.fact LIKE 'income.%'), '{{}}')
  FROM stage_clear c
  LEFT JOIN person p ON {{tenant:p}} AND c.entity = 'person' AND p.id = c.id
  LEFT JOIN household h ON {{tenant:h}} AND c.entity = 'household' AND h.id = c.id
 WHERE {{tenant:c}} AND c.does GROUP BY c.entity, c.id, p.name, h.head_name, c.area_code ORDER BY c.entity, c.id
"""
_OWNERS = _OWNERS.format(key=_KEY)
_AUDIT = """
INSERT INTO audit_entry (tenant_id, actor_kind, account_id, actor_name, action, object_type, object_id, object_label,
                         area_code, before, after, purpose, ip, request_id)
SELECT :scope_tenant, :actor_kind, CAST(:account AS bigint), :actor_name, o.entity || '.import', o.entity, o.id,
       o.label, o.area_code, o.before,
       (SELECT jsonb_object_agg(b.key, CASE WHEN b.key = 'income_year' THEN b.value END) FROM jsonb_each(o.before) b),
       :source, :ip, :request
  FROM ({owners}) AS o(entity, id, label, area_code, before)
"""
_NOTE = (
    """
INSERT INTO import_change (tenant_id, batch_id, kind, id, version, before)
SELECT v.tenant_id, :batch, 'lost_value', v.id, NULL,
       to_jsonb(v) || jsonb_build_object('entity', c.entity, 'type', f.type)
  FROM stage_clear c JOIN custom_value v ON v.field_id = c.field_id AND v.owner_id = c.id
  JOIN custom_field f ON f.id = v.field_id
 WHERE {tenant:c} AND {tenant:v} AND {tenant:f} AND c.does
""",
    """
INSERT INTO import_change (tenant_id, batch_id, kind, id, version, before)
SELECT i.tenant_id, :batch, 'lost_income', i.id, NULL, to_jsonb(i)
  FROM stage_clear c JOIN household_income i ON i.household_id = c.id AND c.fact = 'income.' || i.year
 WHERE {tenant:c} AND {tenant:i} AND c.entity = 'household' AND c.does
""",
)
_ADDRESSES = """
SELECT h.id, h.code, h.address, h.area_code FROM stage_clear c JOIN household h ON h.id = c.id
 WHERE {tenant:c} AND {tenant:h} AND c.entity = 'household' AND c.fact = 'address' AND c.does
"""
_WRITE = (
    """
DELETE FROM custom_value v USING stage_clear c
 WHERE {tenant:v} AND {tenant:c} AND c.does AND v.field_id = c.field_id AND v.owner_id = c.id
""",
    """
DELETE FROM household_income i USING stage_clear c
 WHERE {tenant:i} AND {tenant:c} AND c.does AND c.entity = 'household' AND i.household_id = c.id
   AND c.fact = 'income.' || i.year
""",
    f"""
UPDATE person p
   SET phone = CASE WHEN c.phone THEN NULL ELSE p.phone END,
       phone_index = CASE WHEN c.phone THEN NULL ELSE p.phone_index END,
       phone_tail = CASE WHEN c.phone THEN NULL ELSE p.phone_tail END,
       nationality = CASE WHEN c.nationality THEN '' ELSE p.nationality END,
       import_batch_id = coalesce(CAST(:batch AS bigint), p.import_batch_id),
       version = p.version + 1, updated_at = now()
  FROM (SELECT c.id, bool_or(c.fact = '{PHONE}') AS phone, bool_or(c.fact = 'nationality') AS nationality
          FROM stage_clear c WHERE {{tenant:c}} AND c.entity = 'person' AND c.does GROUP BY c.id) c
 WHERE {{scope:p}} AND p.id = c.id
""",
    """
UPDATE household h
   SET address = CASE WHEN c.address THEN '' ELSE h.address END,
       import_batch_id = coalesce(CAST(:batch AS bigint), h.import_batch_id),
       version = h.version + 1, updated_at = now()
  FROM (SELECT c.id, bool_or(c.fact = 'address') AS address
          FROM stage_clear c WHERE {tenant:c} AND c.entity = 'household' AND c.does GROUP BY c.id) c
 WHERE {scope:h} AND h.id = c.id
""",
)


#: That a value is empty is what a department says too, where it answers for it.
_SAID = f"""
INSERT INTO fact_department (tenant_id, entity, owner_id, batch_id, department, fields)
SELECT c.tenant_id, c.entity, c.id, CAST(:batch AS bigint), :department, jsonb_agg(c.fact ORDER BY c.fact)
  FROM stage_clear c
 WHERE {{tenant:c}} AND c.does AND c.entity || '.' || {_KEY} = ANY(:facts)
 GROUP BY c.tenant_id, c.entity, c.id ORDER BY c.entity, c.id
ON CONFLICT (tenant_id, entity, owner_id, batch_id) DO UPDATE SET fields = fact_department.fields || excluded.fields
"""


class Clearing:
    """What a chunk of a bulk write clears."""

    def __init__(self, uow: Uow, keys: TenantKeys, params: dict[str, Any], speaks: Speaks) -> None:
        self.uow, self.keys, self.params, self.speaks = uow, keys, params, speaks
        self.any = False

    def _run(self, statement: str, **more: Any) -> None:
        scoped_sql(self.uow.session, statement, {**self.params, **more})

    def compare(self, made: Prepared, *, dry_run: bool) -> int:
        """Find what would go and flag its records as changed; returns how many values wait instead, because somebody
        else answers for them."""
        self.any = bool(made.clears)
        if not self.any:
            return 0
        stage_rows(self.uow.session, "stage_clear", _STAGE, made.clears)
        for statement in _COMPARE:
            self._run(statement)
        held = Held(self.keys, self.uow.tenant_id)
        for entity, _stage in _STAGES:
            owned = _OWNED.format(theirs=THEIRS[entity], entity=entity)
            for n, id, fact in scoped_rows(self.uow.session, owned):
                if not self.speaks.owns(entity, fact):
                    held.wait(entity, id, fact, "")
                    self._run(_LET_GO, entity=entity, n=n, fact=fact)
        for statement in _CHANGED:
            self._run(statement)
        if not dry_run:
            held.keep(self.uow, self.speaks, self.params["batch"], self.params["source"])
        return len(held.waiting)

    def samples(self) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        """(entity, name, what stands, nothing instead) of what is cleared."""
        if not self.any:
            return []
        return [
            (entity, label, before, {key: value if key == "income_year" else "" for key, value in before.items()})
            for entity, _id, label, _area, before in scoped_rows(self.uow.session, _OWNERS)
        ]

    def write(self) -> None:
        """Clear, after the rest of the chunk was written and before its changes are compared with what stood."""
        if not self.any:
            return
        session = self.uow.session
        self._run(_AUDIT.format(owners=_OWNERS))
        for statement in _NOTE if self.params["batch"] is not None else ():
            self._run(statement)
        addresses = scoped_rows(session, _ADDRESSES)
        for statement in _WRITE:
            self._run(statement)
        if addresses:
            searchable.drop_pieces(self.uow, addresses)
            searchable.write_pieces(self.uow, [(id, code, "", area) for id, code, _address, area in addresses])

    def note_department(self) -> None:
        """Note what was cleared as said for the department that answers for it, beside what the rows say."""
        if self.any and self.speaks.department and self.params["batch"] is not None:
            facts = [f"{entity}.{fact}" for entity, fact in sorted(self.speaks.facts)]
            self._run(_SAID, department=self.speaks.department, facts=facts)


#: Of an undone import: what it cleared stands again, as it was; not where the field has become another kind since, in
#: which the same number would say something else.
RESTORE_LOST = (
    """
INSERT INTO custom_value (tenant_id, id, area_code, field_id, owner_id, text_value, int_value, date_value)
SELECT c.tenant_id, v.id, v.area_code, v.field_id, v.owner_id, v.text_value, v.int_value, v.date_value
  FROM import_change c CROSS JOIN LATERAL jsonb_populate_record(NULL::custom_value, c.before) v
 WHERE {tenant:c} AND c.batch_id = :batch AND c.kind = 'lost_value' AND NOT EXISTS (
       SELECT 1 FROM custom_field f WHERE {tenant:f} AND f.id = v.field_id AND f.type <> c.before->>'type')
ON CONFLICT DO NOTHING
""",
    """
INSERT INTO household_income (tenant_id, id, area_code, household_id, year, amount, source, version)
SELECT c.tenant_id, i.id, i.area_code, i.household_id, i.year, i.amount, i.source, i.version
  FROM import_change c CROSS JOIN LATERAL jsonb_populate_record(NULL::household_income, c.before) i
 WHERE {tenant:c} AND c.batch_id = :batch AND c.kind = 'lost_income'
ON CONFLICT DO NOTHING
""",
)
