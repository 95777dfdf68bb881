"""The statements by which a bulk write notes what it changes (`models_change`): run only for a chunk that changes
something that stood before, so that a first import pays nothing."""

from __future__ import annotations

# ruff: noqa: S608 - statements are put together from constants of this module only

#: Where a session keeps the number of the import it is writing, for services that plugins' columns call.
IMPORT_BATCH = "import_batch"

_NOTE = "INSERT INTO import_change (tenant_id, batch_id, kind, id, version, before)\n"
_VALUE = "jsonb_build_object('text_value', c.text_value, 'int_value', c.int_value, 'date_value', c.date_value)"
_OWNERS = (("household", "stage_household"), ("person", "stage_person"))

#: All memberships of a person; their area follows the household's.
_MEMBERS = """jsonb_build_object('members', (
       SELECT coalesce(jsonb_agg(to_jsonb(k) - 'area_code' - 'several' ORDER BY k.id), '[]')
         FROM household_member k
        WHERE {tenant:k} AND k.person_id = {o}.id))"""

#: Before the writing: whole rows of what will change.
BEFORE = (
    _NOTE
    + """
SELECT h.tenant_id, :batch, 'household', h.id, h.version, to_jsonb(h)
  FROM stage_household g JOIN household h ON h.id = g.id
 WHERE {tenant:g} AND {tenant:h} AND g.changed
""",
    _NOTE
    + """
SELECT p.tenant_id, :batch, 'person', p.id, p.version, to_jsonb(p) || """
    + _MEMBERS.replace("{o}", "p")
    + """
  FROM stage_person s JOIN person p ON p.id = s.id
 WHERE {tenant:s} AND {tenant:p} AND s.changed
""",
    _NOTE
    + """
SELECT i.tenant_id, :batch, 'income', i.id, i.version + 1, jsonb_build_object('amount', i.amount, 'source', i.source)
  FROM stage_household g JOIN household_income i ON i.household_id = g.id AND i.year = g.income_year
 WHERE {tenant:g} AND {tenant:i} AND g.changed AND i.amount <> g.income
""",
    *(
        _NOTE
        + f"""
SELECT c.tenant_id, :batch, 'value', c.id, NULL, {_VALUE}
  FROM stage_value v JOIN {table} o ON o.n = v.n
  JOIN custom_value c ON c.field_id = v.field_id AND c.owner_id = o.id
 WHERE {{tenant:v}} AND {{tenant:o}} AND {{tenant:c}} AND v.entity = '{entity}' AND NOT v.known AND o.changed
"""
        for entity, table in _OWNERS
    ),
)

_DIFFERENCE = """
UPDATE import_change c
   SET version = o.version, before = coalesce((
       SELECT jsonb_object_agg(was.key, was.value)
         FROM jsonb_each(c.before) AS was JOIN jsonb_each({now}) AS is_now USING (key)
        WHERE was.value <> is_now.value AND was.key NOT IN ({left})), '{{}}')
  FROM {table} o, {stage} s
 WHERE {{tenant:c}} AND {{tenant:o}} AND {{tenant:s}} AND c.batch_id = :batch AND c.kind = '{table}'
   AND c.id = s.id AND o.id = s.id AND s.changed
"""

#: After the writing: what was added to things that stood, and of the whole rows only what differs now. What follows
#: from other rows (head, size, area of a person) is made to follow again by an undo, not put back.
AFTER = (
    _NOTE
    + """
SELECT m.tenant_id, :batch, 'mark', m.id, NULL, NULL
  FROM stage_person s JOIN stage_household g ON g.n = s.household_n
  JOIN person_mark m ON m.household_id = g.id AND m.person_id = s.id
 WHERE {tenant:s} AND {tenant:g} AND {tenant:m} AND s.changed AND m.created_at = now()
""",
    _NOTE
    + """
SELECT i.tenant_id, :batch, 'income', i.id, i.version, NULL
  FROM stage_household g JOIN household_income i ON i.household_id = g.id AND i.year = g.income_year
 WHERE {tenant:g} AND {tenant:i} AND g.changed AND i.created_at = now()
""",
    *(
        _NOTE
        + f"""
SELECT c.tenant_id, :batch, 'value', c.id, NULL, NULL
  FROM stage_value v JOIN {table} o ON o.n = v.n
  JOIN custom_value c ON c.field_id = v.field_id AND c.owner_id = o.id
 WHERE {{tenant:v}} AND {{tenant:o}} AND {{tenant:c}} AND v.entity = '{entity}' AND NOT v.known AND o.changed
ON CONFLICT DO NOTHING
"""
        for entity, table in _OWNERS
    ),
    _DIFFERENCE.format(
        table="household",
        stage="stage_household",
        now="to_jsonb(o)",
        left="'version', 'updated_at', 'head_name', 'sort_key', 'person_count', 'registered_count', 'living_count'",
    ),
    _DIFFERENCE.format(
        table="person",
        stage="stage_person",
        now="to_jsonb(o) || " + _MEMBERS.replace("{o}", "o"),
        left="'version', 'updated_at', 'area_code', 'several'",
    ),
)

#: Awards are written by a service of their own (`service_awards`), of households that this transaction did not make.
AWARDS_BEFORE = (
    _NOTE
    + """
SELECT a.tenant_id, :batch, 'award', a.id, a.version + 1, jsonb_build_object('awarded', a.awarded, 'source', a.source)
  FROM stage_award s JOIN household h ON h.id = s.household_id
  JOIN household_award a ON a.household_id = h.id AND a.award_key = :key AND a.year = s.year
 WHERE {tenant:s} AND {scope:h} AND {tenant:a} AND a.awarded <> s.awarded AND a.created_at <> now()
ON CONFLICT DO NOTHING
"""
)
AWARDS_AFTER = (
    _NOTE
    + """
SELECT a.tenant_id, :batch, 'award', a.id, a.version, NULL
  FROM stage_award s JOIN household h ON h.id = s.household_id
  JOIN household_award a ON a.household_id = h.id AND a.award_key = :key AND a.year = s.year
 WHERE {tenant:s} AND {scope:h} AND {tenant:a} AND a.created_at = now() AND h.created_at <> now()
ON CONFLICT DO NOTHING
"""
)
