"""The statements of the undo of an import, in order; ``built_on`` has made sure that nothing stands in the way."""

from __future__ import annotations

from sqlalchemy.orm import class_mapper

from xiangyue.db.base import table_name
from xiangyue.features.households.bulk_clear import RESTORE_LOST
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.undo_built import MADE_HOUSEHOLD, MADE_PERSON

# ruff: noqa: S608 - statements are put together from constants and the models' own columns

#: Everything the undo is going to touch, in the order in which others lock too: nobody changes it meanwhile, and what
#: somebody is adding to it (a foreign key) waits.
LOCK = (
    f"SELECT h.id FROM household h WHERE {{tenant:h}} AND {MADE_HOUSEHOLD} ORDER BY h.id FOR UPDATE",
    """
SELECT h.id FROM import_change c JOIN household h ON h.id = c.id
 WHERE {tenant:c} AND {tenant:h} AND c.batch_id = :batch AND c.kind = 'household' ORDER BY h.id FOR UPDATE OF h
""",
    f"SELECT p.id FROM person p WHERE {{tenant:p}} AND {MADE_PERSON} ORDER BY p.id FOR UPDATE",
    """
SELECT p.id FROM import_change c JOIN person p ON p.id = c.id
 WHERE {tenant:c} AND {tenant:p} AND c.batch_id = :batch AND c.kind = 'person' ORDER BY p.id FOR UPDATE OF p
""",
)

#: What is undone, in numbers: kind and how many were added (made) and changed.
COUNT_CHANGES = """
SELECT c.kind, count(*) FILTER (WHERE c.before IS NULL), count(*) FILTER (WHERE c.before IS NOT NULL)
  FROM import_change c WHERE {tenant:c} AND c.batch_id = :batch AND c.kind NOT LIKE 'same%' GROUP BY 1
"""
COUNT_MADE = {
    "households": f"SELECT count(*) FROM household h WHERE {{tenant:h}} AND {MADE_HOUSEHOLD}",
    "persons": f"SELECT count(*) FROM person p WHERE {{tenant:p}} AND {MADE_PERSON}",
    "marks": f"""
SELECT count(*) FROM person p JOIN person_mark m ON m.person_id = p.id
 WHERE {{tenant:p}} AND {{tenant:m}} AND {MADE_PERSON}
""",
    "incomes": f"""
SELECT count(*) FROM household h JOIN household_income i ON i.household_id = h.id
 WHERE {{tenant:h}} AND {{tenant:i}} AND {MADE_HOUSEHOLD}
""",
    "awards": f"""
SELECT count(*) FROM household h JOIN household_award a ON a.household_id = h.id
 WHERE {{tenant:h}} AND {{tenant:a}} AND {MADE_HOUSEHOLD}
""",
}
COUNT_GROUPS = "SELECT count(*) FROM area a WHERE {tenant:a} AND a.level = 'group' AND a.created_at = :at"

#: Households that change area, change address or area (their search rows), and stand to count their members anew.
MOVED = """
SELECT c.id FROM import_change c
 WHERE {tenant:c} AND c.batch_id = :batch AND c.kind = 'household' AND jsonb_exists(c.before, 'area_code')
"""
READDRESSED = """
SELECT h.id, h.code, h.address, h.area_code FROM import_change c JOIN household h ON h.id = c.id
 WHERE {tenant:c} AND {tenant:h} AND c.batch_id = :batch AND c.kind = 'household'
   AND (jsonb_exists(c.before, 'area_code') OR jsonb_exists(c.before, 'address'))
"""
MOVERS = """
SELECT c.id FROM import_change c
 WHERE {tenant:c} AND c.batch_id = :batch AND c.kind = 'person' AND jsonb_exists(c.before, 'household_id')
"""
RENAMED = """
SELECT p.id, p.name, p.household_id, p.area_code FROM import_change c JOIN person p ON p.id = c.id
 WHERE {tenant:c} AND {tenant:p} AND c.batch_id = :batch AND c.kind = 'person' AND p.state = 'active'
   AND (jsonb_exists(c.before, 'household_id') OR jsonb_exists(c.before, 'name'))
"""
STALE = f"""
SELECT p.household_id FROM person p WHERE {{tenant:p}} AND {MADE_PERSON}
UNION
SELECT k.household_id FROM import_change c JOIN household_member k ON k.person_id = c.id
 WHERE {{tenant:c}} AND {{tenant:k}} AND c.batch_id = :batch AND c.kind = 'person'
"""

_HIDDEN = (
    "ARRAY['sort_key', 'id_number_index', 'id_number_tail', 'phone_index', 'phone_tail', 'import_batch_id', 'members']"
)


def _audit(table: str, alias: str, label: str) -> str:
    """An entry for each row that gets its values back; identifiers stay hidden."""
    veil = """(SELECT coalesce(jsonb_object_agg(k.key, CASE WHEN k.key IN ('id_number', 'phone')
              AND k.value <> 'null' THEN '"•••"' ELSE k.value END), '{}') FROM jsonb_each(side.values) AS k)"""
    return f"""
INSERT INTO audit_entry (tenant_id, actor_kind, account_id, actor_name, action, object_type, object_id, object_label,
                         area_code, before, after, purpose, ip, request_id)
SELECT e.tenant_id, :actor_kind, CAST(:account AS bigint), :actor_name, '{table}.import_undo', '{table}', e.id,
       e.label, e.area_code,
       {veil.replace("side.values", "e.old")}, {veil.replace("side.values", "e.new")}, :source, :ip, :request
  FROM (SELECT {alias}.tenant_id, {alias}.id, {label} AS label, {alias}.area_code, c.before - {_HIDDEN} AS new,
               (SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each(to_jsonb({alias})) AS n
                 WHERE jsonb_exists(c.before - {_HIDDEN}, n.key)) AS old
          FROM import_change c JOIN {table} {alias} ON {alias}.id = c.id
         WHERE {{tenant:c}} AND {{tenant:{alias}}} AND c.batch_id = :batch AND c.kind = '{table}'
           AND c.before - {_HIDDEN} <> '{{}}') e
"""


AUDIT = (_audit("household", "h", "h.head_name"), _audit("person", "p", "p.name"))


def _restore(model: type, *, left: frozenset[str]) -> str:
    """The columns that an import changed as they were, all others as they are."""
    fixed = frozenset({"tenant_id", "id", "created_at", "updated_at", "version"})
    columns = [column.name for column in class_mapper(model).columns if column.name not in fixed | left]
    table = table_name(model)
    sets = ", ".join(f"{name} = b.{name}" for name in columns)
    return f"""
UPDATE {table} o SET {sets}, version = o.version + 1, updated_at = now()
  FROM (SELECT r.* FROM import_change c JOIN {table} t ON t.id = c.id
         CROSS JOIN LATERAL jsonb_populate_record(t, c.before) r
         WHERE {{tenant:c}} AND {{tenant:t}} AND c.batch_id = :batch AND c.kind = '{table}'
           AND c.before <> '{{}}') b
 WHERE {{tenant:o}} AND o.id = b.id
"""


#: An undo leaves a new version, so that forms that are open notice; for earlier imports it is the same as the one they
#: left, or made.
CARRY = (
    """
UPDATE import_change a SET version = c.version + 1 FROM import_change c
 WHERE {tenant:a} AND {tenant:c} AND c.batch_id = :batch AND a.batch_id <> :batch AND c.before <> '{}'
   AND a.kind = c.kind AND a.id = c.id AND a.version = c.version - 1
""",
    """
INSERT INTO import_change (tenant_id, batch_id, kind, id, version)
SELECT c.tenant_id, c.batch_id, 'same_' || c.kind, c.id, c.version + 1
  FROM import_change c
 WHERE {tenant:c} AND c.batch_id = :batch AND c.before <> '{}' AND (c.version = 2 OR EXISTS (
       SELECT 1 FROM import_change k
        WHERE {tenant:k} AND k.kind = 'same_' || c.kind AND k.id = c.id AND k.version = c.version - 1))
""",
)

RESTORE = (
    *RESTORE_LOST,
    _restore(Household, left=frozenset({"head_name", "sort_key", "person_count", "registered_count", "living_count"})),
    _restore(Person, left=frozenset({"area_code", "several"})),
    """
DELETE FROM household_member k USING import_change c
 WHERE {tenant:k} AND {tenant:c} AND c.batch_id = :batch AND c.kind = 'person' AND jsonb_exists(c.before, 'members')
   AND k.person_id = c.id
""",
    """
INSERT INTO household_member (tenant_id, area_code, person_id, id, household_id, registered, living, relation,
                              several, valid_from, valid_to, opened_by, ended_by)
SELECT c.tenant_id, h.area_code, c.id, k.id, k.household_id, k.registered, k.living, k.relation, p.several,
       k.valid_from, k.valid_to, k.opened_by, k.ended_by
  FROM import_change c CROSS JOIN LATERAL jsonb_populate_recordset(NULL::household_member, c.before->'members') k
  JOIN household h ON h.id = k.household_id
  JOIN person p ON p.id = c.id
 WHERE {tenant:c} AND {tenant:h} AND {tenant:p} AND c.batch_id = :batch AND c.kind = 'person'
   AND jsonb_exists(c.before, 'members')
""",
    # A person lies where the household lies.
    """
UPDATE person p SET area_code = h.area_code FROM import_change c, household h
 WHERE {tenant:p} AND {tenant:c} AND {tenant:h} AND c.batch_id = :batch AND c.kind = 'person' AND p.id = c.id
   AND h.id = p.household_id AND p.area_code <> h.area_code
""",
    """
UPDATE household_income i SET amount = CAST(c.before->>'amount' AS bigint), source = c.before->>'source',
       version = i.version + 1, updated_at = now()
  FROM import_change c
 WHERE {tenant:i} AND {tenant:c} AND c.batch_id = :batch AND c.kind = 'income' AND c.id = i.id AND c.before IS NOT NULL
""",
    """
UPDATE household_award a SET awarded = CAST(c.before->>'awarded' AS boolean), source = c.before->>'source',
       version = a.version + 1, updated_at = now()
  FROM import_change c
 WHERE {tenant:a} AND {tenant:c} AND c.batch_id = :batch AND c.kind = 'award' AND c.id = a.id AND c.before IS NOT NULL
""",
    """
UPDATE custom_value v SET text_value = c.before->>'text_value', int_value = CAST(c.before->>'int_value' AS bigint),
       date_value = CAST(c.before->>'date_value' AS date)
  FROM import_change c
 WHERE {tenant:v} AND {tenant:c} AND c.batch_id = :batch AND c.kind = 'value' AND c.id = v.id AND c.before IS NOT NULL
""",
    *(
        f"""
DELETE FROM {table} x USING import_change c
 WHERE {{tenant:x}} AND {{tenant:c}} AND c.batch_id = :batch AND c.kind = '{kind}' AND c.id = x.id AND c.before IS NULL
"""
        for kind, table in (
            ("mark", "person_mark"),
            ("income", "household_income"),
            ("award", "household_award"),
            ("value", "custom_value"),
        )
    ),
)


def _facts(table: str, alias: str, made: str) -> tuple[str, ...]:
    """What is known of where facts of made records came from, and what waits."""
    return tuple(
        f"DELETE FROM {noted} o USING {table} {alias} WHERE {{tenant:o}} AND {{tenant:{alias}}} AND {made}"
        f" AND o.entity = '{table}' AND o.owner_id = {alias}.id"
        for noted in ("fact_origin", "fact_conflict", "fact_department")
    )


#: Of made persons between :p_lo and :p_hi. The persons last; what hangs on them before.
PERSONS_SHOWN = f"SELECT p.id, p.name FROM person p WHERE {{tenant:p}} AND {MADE_PERSON}"
DROP_PERSONS = (
    *_facts("person", "p", MADE_PERSON),
    f"""
DELETE FROM custom_value v USING person p, custom_field f
 WHERE {{tenant:v}} AND {{tenant:p}} AND {{tenant:f}} AND {MADE_PERSON} AND f.entity = 'person'
   AND v.field_id = f.id AND v.owner_id = p.id
""",
    f"DELETE FROM household_member k USING person p WHERE {{tenant:k}} AND {{tenant:p}} AND {MADE_PERSON}"
    " AND k.person_id = p.id",
    f"DELETE FROM person_mark m USING person p WHERE {{tenant:m}} AND {{tenant:p}} AND {MADE_PERSON}"
    " AND m.person_id = p.id",
    f"DELETE FROM person p WHERE {{tenant:p}} AND {MADE_PERSON}",
)
#: Of made households between :h_lo and :h_hi.
HOUSEHOLDS_SHOWN = (
    f"SELECT h.id, h.code, h.address, h.area_code FROM household h WHERE {{tenant:h}} AND {MADE_HOUSEHOLD}"
)
DROP_HOUSEHOLDS = (
    *_facts("household", "h", MADE_HOUSEHOLD),
    f"""
DELETE FROM custom_value v USING household h, custom_field f
 WHERE {{tenant:v}} AND {{tenant:h}} AND {{tenant:f}} AND {MADE_HOUSEHOLD} AND f.entity = 'household'
   AND v.field_id = f.id AND v.owner_id = h.id
""",
    *(
        f"DELETE FROM {table} x USING household h"
        f" WHERE {{tenant:x}} AND {{tenant:h}} AND {MADE_HOUSEHOLD} AND x.household_id = h.id"
        for table in ("household_income", "household_award", "classification")
    ),
    f"DELETE FROM household h WHERE {{tenant:h}} AND {MADE_HOUSEHOLD}",
)
FORGET = "DELETE FROM import_change c WHERE {tenant:c} AND c.batch_id = :batch AND c.kind NOT LIKE 'same%'"
