"""The statements of a bulk write, in order. They read ``stage_household`` (alias g), ``stage_person`` (s),
``stage_mark`` (m), ``stage_value`` (v) and ``stage_cipher`` (e), which carry the tenant too; see ``bulk_stage``.

Flags of a staged row: ``skip`` says why it is left out; ``fresh`` it is new; ``differs`` the record itself is to be
updated; ``changed`` it or something that hangs on it; ``known`` (marks, values) it stands already.
"""

from __future__ import annotations

from xiangyue.features.households.bulk_members import MEMBERS
from xiangyue.features.households.bulk_merged import MERGED_HOUSEHOLDS, MERGED_PERSONS

# ruff: noqa: S608 - statements are put together from constants of this module only

#: Finds the households by code, and leaves out those that may not be written.
MATCH_HOUSEHOLDS = (
    """
UPDATE stage_household g SET skip = 'area_unknown'
 WHERE {tenant:g} AND NOT EXISTS (
       SELECT 1 FROM area a
        WHERE {tenant:a} AND a.active AND (
              (a.area_code = g.area_code AND a.level IN ('village', 'group'))
              OR (:groups AND a.level = 'village' AND a.area_code = g.area_code - g.area_code % 1000)))
""",
    "UPDATE stage_household g SET skip = 'area_outside' WHERE {tenant:g} AND NOT {scope:g}",
    """
UPDATE stage_household g SET id = h.id, skip = CASE WHEN {scope:h} THEN g.skip ELSE 'household_elsewhere' END
  FROM household h
 WHERE {tenant:g} AND {tenant:h} AND h.code = g.code
""",
    *MERGED_HOUSEHOLDS,
)

_BY_NAME = """
WITH wanted AS (
     SELECT s.n, g.id AS household_id, s.name, s.birth_date,
            row_number() OVER (PARTITION BY g.id, s.name{born_s} ORDER BY s.n) AS k
       FROM stage_person s JOIN stage_household g ON g.n = s.household_n
      WHERE {{tenant:s}} AND {{tenant:g}} AND s.id IS NULL AND g.id IS NOT NULL AND g.skip IS NULL),
known AS (
     SELECT p.id, p.household_id, p.name, p.birth_date,
            row_number() OVER (PARTITION BY p.household_id, p.name{born_p} ORDER BY p.id) AS k
       FROM stage_household g JOIN person p ON p.household_id = g.id
      WHERE {{tenant:g}} AND {{tenant:p}} AND p.state <> 'merged'
        AND NOT EXISTS (SELECT 1 FROM stage_person t WHERE {{tenant:t}} AND t.id = p.id))
UPDATE stage_person s SET id = known.id, home = known.household_id, mine = true
  FROM wanted JOIN known ON known.household_id = wanted.household_id AND known.name = wanted.name
       AND known.k = wanted.k AND {condition}
 WHERE {{tenant:s}} AND s.n = wanted.n
"""

#: Finds the persons: by citizen number, then by household, name and date of birth, then where one date is missing.
MATCH_PERSONS = (
    """
UPDATE stage_person s SET id = p.id, home = p.household_id, mine = {scope:p}
  FROM person p
 WHERE {tenant:s} AND {tenant:p} AND s.id_number_index IS NOT NULL AND p.id_number_index = s.id_number_index
""",
    *MERGED_PERSONS,
    _BY_NAME.format(
        born_s=", s.birth_date",
        born_p=", p.birth_date",
        condition="known.birth_date IS NOT DISTINCT FROM wanted.birth_date",
    ),
    _BY_NAME.format(born_s="", born_p="", condition="(known.birth_date IS NULL OR wanted.birth_date IS NULL)"),
    "UPDATE stage_person s SET skip = 'person_elsewhere' WHERE {tenant:s} AND NOT s.mine",
    # Another family under the same number, more likely than not; a head who only changed stands in the rows too.
    """
UPDATE stage_person s SET skip = 'head_other'
  FROM stage_household g, person p
 WHERE {tenant:s} AND {tenant:g} AND {tenant:p} AND s.skip IS NULL AND s.relation = '02'
   AND g.n = s.household_n AND g.skip IS NULL AND p.household_id = g.id AND p.state = 'active' AND p.relation = '02'
   AND p.id IS DISTINCT FROM s.id AND NOT EXISTS (SELECT 1 FROM stage_person t WHERE {tenant:t} AND t.id = p.id)
""",
    """
UPDATE stage_person s SET skip = 'household' FROM stage_household g
 WHERE {tenant:s} AND {tenant:g} AND g.n = s.household_n AND g.skip IS NOT NULL
""",
    # Registered elsewhere and living here: "away" would take the person out of this roster's household altogether.
    """
UPDATE stage_person s SET away = NULL FROM household_member k
 WHERE {tenant:s} AND {tenant:k} AND s.away AND k.person_id = s.id AND k.valid_to IS NULL
   AND k.living AND NOT k.registered
""",
)

_PERSON_DIFFERS = """(p.name <> s.name OR p.household_id IS DISTINCT FROM g.id
    OR (s.relation <> '' AND p.relation <> s.relation) OR (s.sex <> 0 AND p.sex <> s.sex)
    OR (s.nationality <> '' AND p.nationality <> s.nationality)
    OR (s.birth_date IS NOT NULL AND p.birth_date IS DISTINCT FROM s.birth_date)
    OR (s.id_number_index IS NOT NULL AND p.id_number_index IS DISTINCT FROM s.id_number_index)
    OR (s.phone_index IS NOT NULL AND p.phone_index IS DISTINCT FROM s.phone_index)
    OR (s.away IS NOT NULL AND p.away <> s.away))"""
_HOUSEHOLD_DIFFERS = "(h.area_code <> g.area_code OR (g.address <> '' AND h.address <> g.address))"
_VALUE_KNOWN = """
UPDATE stage_value v SET known = true FROM {table} o, custom_value c
 WHERE {{tenant:v}} AND {{tenant:o}} AND {{tenant:c}} AND v.entity = '{entity}' AND o.n = v.n
   AND c.field_id = v.field_id AND c.owner_id = o.id
   AND (c.text_value, c.int_value, c.date_value) IS NOT DISTINCT FROM (v.text_value, v.int_value, v.date_value)
"""
_VALUE_CHANGED = """
UPDATE {table} o SET changed = true FROM stage_value v
 WHERE {{tenant:o}} AND {{tenant:v}} AND v.entity = '{entity}' AND v.n = o.n AND NOT v.known
   AND NOT o.fresh AND o.skip IS NULL
"""

#: Sets fresh, differs and changed.
COMPARE = (
    "UPDATE stage_household g SET fresh = true WHERE {tenant:g} AND g.id IS NULL AND g.skip IS NULL",
    "UPDATE stage_person s SET fresh = true WHERE {tenant:s} AND s.id IS NULL AND s.skip IS NULL",
    f"""
UPDATE stage_household g SET differs = true, changed = true FROM household h
 WHERE {{tenant:g}} AND {{tenant:h}} AND h.id = g.id AND g.skip IS NULL AND {_HOUSEHOLD_DIFFERS}
""",
    """
UPDATE stage_household g SET changed = true
 WHERE {tenant:g} AND g.id IS NOT NULL AND g.skip IS NULL AND g.income_year IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM household_income i
        WHERE {tenant:i} AND i.household_id = g.id AND i.year = g.income_year AND i.amount = g.income)
""",
    _VALUE_KNOWN.format(table="stage_household", entity="household"),
    _VALUE_CHANGED.format(table="stage_household", entity="household"),
    f"""
UPDATE stage_person s SET differs = true, changed = true FROM person p, stage_household g
 WHERE {{tenant:s}} AND {{tenant:p}} AND {{tenant:g}} AND p.id = s.id AND g.n = s.household_n AND s.skip IS NULL
   AND {_PERSON_DIFFERS}
""",
    """
WITH standing AS MATERIALIZED (
     SELECT k.person_id, k.mark_key FROM person_mark k
      WHERE {tenant:k} AND k.valid_to IS NULL AND k.household_id = ANY(ARRAY(
            SELECT DISTINCT s.home FROM stage_person s WHERE {tenant:s} AND s.home IS NOT NULL)))
UPDATE stage_mark m SET known = true FROM stage_person s, standing
 WHERE {tenant:m} AND {tenant:s} AND s.n = m.person_n AND standing.person_id = s.id AND standing.mark_key = m.mark_key
""",
    """
UPDATE stage_person s SET changed = true FROM stage_mark m
 WHERE {tenant:s} AND {tenant:m} AND m.person_n = s.n AND NOT m.known AND NOT s.fresh AND s.skip IS NULL
""",
    _VALUE_KNOWN.format(table="stage_person", entity="person"),
    _VALUE_CHANGED.format(table="stage_person", entity="person"),
)

CONFLICTS = """
SELECT g.row_no, g.skip FROM stage_household g WHERE {tenant:g} AND g.skip IS NOT NULL
UNION ALL
SELECT s.row_no, s.skip FROM stage_person s WHERE {tenant:s} AND s.skip IS NOT NULL AND s.skip <> 'household'
"""
_COUNT = """
SELECT CASE WHEN {alias}.fresh THEN 'new' WHEN {alias}.changed THEN 'changed' ELSE 'unchanged' END, count(*)
  FROM {table} {alias} WHERE {{tenant:{alias}}} AND {alias}.skip IS NULL GROUP BY 1
"""
COUNT_HOUSEHOLDS = _COUNT.format(table="stage_household", alias="g")
COUNT_PERSONS = _COUNT.format(table="stage_person", alias="s")

_HOUSEHOLD_BEFORE = """jsonb_strip_nulls(jsonb_build_object(
       'address', CASE WHEN g.address <> '' AND h.address <> g.address THEN h.address END,
       'area_code', CASE WHEN h.area_code <> g.area_code THEN h.area_code END,
       'income', CASE WHEN i.amount <> g.income THEN i.amount END,
       'income_year', CASE WHEN i.amount <> g.income THEN g.income_year END))"""
_HOUSEHOLD_AFTER = """jsonb_strip_nulls(jsonb_build_object(
       'address', CASE WHEN g.address <> '' AND h.address <> g.address THEN g.address END,
       'area_code', CASE WHEN h.area_code <> g.area_code THEN g.area_code END,
       'income', CASE WHEN i.amount IS DISTINCT FROM g.income THEN g.income END,
       'income_year', CASE WHEN i.amount IS DISTINCT FROM g.income THEN g.income_year END))"""
_HOUSEHOLD_PAIR = """stage_household g JOIN household h ON h.id = g.id
       LEFT JOIN household_income i ON {tenant:i} AND i.household_id = g.id AND i.year = g.income_year
 WHERE {tenant:g} AND {tenant:h} AND g.changed"""


def _person_changes(old: str, new: str) -> str:
    """The differing fields as JSON, from ``old`` or ``new``; identifiers stay hidden."""
    side = new if new else old
    plain = [("name", "true"), ("relation", "s.relation <> ''"), ("sex", "s.sex <> 0"),
             ("nationality", "s.nationality <> ''"), ("birth_date", "s.birth_date IS NOT NULL"),
             ("away", "s.away IS NOT NULL")]  # fmt: skip
    parts = [
        f"'{column}', CASE WHEN {given} AND p.{column} IS DISTINCT FROM s.{column} THEN {side}.{column} END"
        for column, given in plain
    ]
    parts.append(
        "'household_id', CASE WHEN p.household_id IS DISTINCT FROM g.id THEN "
        + ("g.id" if new else "p.household_id")
        + " END"
    )
    for column in ("id_number", "phone"):
        shown = "'•••'" if new else f"CASE WHEN p.{column} IS NOT NULL THEN '•••' END"
        parts.append(
            f"'{column}', CASE WHEN s.{column}_index IS NOT NULL"
            f" AND p.{column}_index IS DISTINCT FROM s.{column}_index THEN {shown} END"
        )
    return f"jsonb_strip_nulls(jsonb_build_object({', '.join(parts)}))"


_PERSON_BEFORE, _PERSON_AFTER = _person_changes("p", ""), _person_changes("p", "s")
_PERSON_PAIR = """stage_person s JOIN person p ON p.id = s.id JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:p} AND {tenant:g} AND s.changed"""

SAMPLES = f"""
(SELECT 'household', g.head_name, {_HOUSEHOLD_BEFORE}, {_HOUSEHOLD_AFTER} FROM {_HOUSEHOLD_PAIR} LIMIT :limit)
UNION ALL
(SELECT 'person', s.name, {_PERSON_BEFORE}, {_PERSON_AFTER} FROM {_PERSON_PAIR} LIMIT :limit)
LIMIT :limit
"""

#: The caller's row number and the id of what was written.
HOUSEHOLD_ROWS = "SELECT g.row_no, g.id FROM stage_household g WHERE {tenant:g} AND g.id IS NOT NULL AND g.skip IS NULL"
PERSON_ROWS = "SELECT s.row_no, s.id FROM stage_person s WHERE {tenant:s} AND s.id IS NOT NULL AND s.skip IS NULL"

NEW_HOUSEHOLD_IDS = (
    "UPDATE stage_household g SET id = nextval('public.household_id_seq'::regclass) WHERE {tenant:g} AND g.fresh"
)
NEW_PERSON_IDS = "UPDATE stage_person s SET id = nextval('public.person_id_seq'::regclass) WHERE {tenant:s} AND s.fresh"

#: First and last id of what is new.
MADE_HOUSEHOLDS = "SELECT min(g.id), max(g.id) FROM stage_household g WHERE {tenant:g} AND g.fresh"
MADE_PERSONS = "SELECT min(s.id), max(s.id) FROM stage_person s WHERE {tenant:s} AND s.fresh"

#: Households a person leaves; those whose head, order or size may change; those that change area.
HOUSEHOLDS_LEFT = """
SELECT DISTINCT s.home FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:g} AND s.skip IS NULL AND s.home IS NOT NULL AND s.home <> g.id
"""
HOUSEHOLDS_STALE = """
SELECT DISTINCT g.id FROM stage_household g JOIN stage_person s ON s.household_n = g.n
 WHERE {tenant:g} AND {tenant:s} AND g.skip IS NULL AND (NOT s.fresh AND (g.fresh OR s.differs)
       OR s.fresh AND NOT g.fresh OR s.skip IS NOT NULL)
"""
HOUSEHOLDS_MOVED = """
SELECT g.id FROM stage_household g JOIN household h ON h.id = g.id
 WHERE {tenant:g} AND {tenant:h} AND g.differs AND h.area_code <> g.area_code
"""
#: As they stand: before the writing what is left, after it what has come.
HOUSEHOLDS_REWRITTEN = """
SELECT h.id, h.code, h.address, h.area_code FROM stage_household g JOIN household h ON h.id = g.id
 WHERE {tenant:g} AND {tenant:h} AND g.skip IS NULL AND (g.fresh OR g.differs)
"""
PERSONS_RENAMED = """
SELECT s.id FROM stage_person s JOIN person p ON p.id = s.id JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:p} AND {tenant:g} AND s.differs AND (p.name <> s.name OR p.household_id <> g.id)
"""
PERSONS_MOVED = """
SELECT s.id FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:g} AND s.skip IS NULL AND s.home <> g.id
"""
#: Numbers of the persons whose identifiers are needed.
PERSONS_TO_WRITE = """
SELECT s.n FROM stage_person s WHERE {tenant:s} AND s.skip IS NULL AND (s.fresh OR s.differs) ORDER BY s.n
"""
#: Search rows of new persons; in the order of the key, so that the index grows page by page and not all over.
ADD_SUFFIXES = """
INSERT INTO name_suffix (tenant_id, area_code, suffix, id, household_id)
SELECT s.tenant_id, g.area_code, one.suffix, s.id, g.id
  FROM stage_person s JOIN stage_household g ON g.n = s.household_n JOIN stage_cipher e ON e.n = s.n
 CROSS JOIN string_to_table(e.suffixes, ' ') AS one(suffix)
 WHERE {tenant:s} AND {tenant:g} AND {tenant:e} AND s.fresh ORDER BY one.suffix, s.id
"""

_AUDIT = """
INSERT INTO audit_entry (tenant_id, actor_kind, account_id, actor_name, action, object_type, object_id, object_label,
                         area_code, before, after, purpose, ip, request_id)
SELECT {alias}.tenant_id, :actor_kind, CAST(:account AS bigint), :actor_name, '{entity}.import', '{entity}',
       {alias}.id, {label}, g.area_code, {before}, {after}, :source, :ip, :request
  FROM {pair}
"""

_SAVE_VALUES = """
INSERT INTO custom_value (tenant_id, area_code, field_id, owner_id, text_value, int_value, date_value)
SELECT v.tenant_id, g.area_code, v.field_id, {owner}.id, v.text_value, v.int_value, v.date_value
  FROM stage_value v JOIN {join}
 WHERE {{tenant:v}} AND {{tenant:g}} AND v.entity = '{entity}' AND {owner}.skip IS NULL AND NOT v.known
ON CONFLICT (tenant_id, field_id, owner_id) DO UPDATE
   SET text_value = excluded.text_value, int_value = excluded.int_value, date_value = excluded.date_value
 WHERE (custom_value.text_value, custom_value.int_value, custom_value.date_value)
       IS DISTINCT FROM (excluded.text_value, excluded.int_value, excluded.date_value)
"""

WRITE = (
    _AUDIT.format(
        alias="g",
        entity="household",
        label="g.head_name",
        before=_HOUSEHOLD_BEFORE,
        after=_HOUSEHOLD_AFTER,
        pair=_HOUSEHOLD_PAIR,
    ),
    _AUDIT.format(
        alias="s", entity="person", label="s.name", before=_PERSON_BEFORE, after=_PERSON_AFTER, pair=_PERSON_PAIR
    ),
    """
INSERT INTO household (tenant_id, id, area_code, code, head_name, sort_key, person_count, registered_count,
                       living_count, address, import_batch_id)
SELECT g.tenant_id, g.id, g.area_code, g.code, g.head_name, g.sort_key, coalesce(size.n, 0), coalesce(size.n, 0),
       coalesce(size.living, 0), g.address, CAST(:batch AS bigint)
  FROM stage_household g
  LEFT JOIN (SELECT s.household_n, count(*) AS n, count(*) FILTER (WHERE s.away IS NOT TRUE) AS living
               FROM stage_person s WHERE {tenant:s} AND s.skip IS NULL
              GROUP BY s.household_n) size ON size.household_n = g.n
 WHERE {tenant:g} AND g.fresh ORDER BY g.id
""",
    f"""
UPDATE household h SET area_code = g.area_code, address = coalesce(nullif(g.address, ''), h.address),
       import_batch_id = coalesce(CAST(:batch AS bigint), h.import_batch_id),
       version = h.version + 1, updated_at = now()
  FROM stage_household g
 WHERE {{scope:h}} AND {{tenant:g}} AND h.id = g.id AND g.differs AND {_HOUSEHOLD_DIFFERS}
""",
    """
INSERT INTO person (tenant_id, id, area_code, household_id, name, sort_key, relation, sex, birth_date, nationality,
                    id_number, id_number_index, id_number_tail, phone, phone_index, phone_tail, away, import_batch_id)
SELECT s.tenant_id, s.id, g.area_code, g.id, s.name, s.sort_key, s.relation, s.sex, s.birth_date, s.nationality,
       e.id_number, s.id_number_index, s.id_number_tail, e.phone, s.phone_index, s.phone_tail, coalesce(s.away, false),
       CAST(:batch AS bigint)
  FROM stage_person s JOIN stage_household g ON g.n = s.household_n
  LEFT JOIN stage_cipher e ON e.n = s.n AND {tenant:e}
 WHERE {tenant:s} AND {tenant:g} AND s.fresh ORDER BY s.id
""",
    *MEMBERS,
    """
UPDATE person p SET area_code = g.area_code, household_id = g.id, name = s.name, sort_key = s.sort_key,
       relation = coalesce(nullif(s.relation, ''), p.relation), sex = coalesce(nullif(s.sex, 0), p.sex),
       birth_date = coalesce(s.birth_date, p.birth_date),
       nationality = coalesce(nullif(s.nationality, ''), p.nationality),
       id_number = CASE WHEN s.id_number_index IS NULL THEN p.id_number ELSE coalesce(e.id_number, p.id_number) END,
       id_number_index = coalesce(s.id_number_index, p.id_number_index),
       id_number_tail = coalesce(s.id_number_tail, p.id_number_tail),
       phone = CASE WHEN s.phone_index IS NULL THEN p.phone ELSE coalesce(e.phone, p.phone) END,
       phone_index = coalesce(s.phone_index, p.phone_index),
       phone_tail = coalesce(s.phone_tail, p.phone_tail),
       away = coalesce(s.away, p.away), import_batch_id = coalesce(CAST(:batch AS bigint), p.import_batch_id),
       version = p.version + 1, updated_at = now()
  FROM stage_household g, stage_person s LEFT JOIN stage_cipher e ON e.n = s.n
 WHERE {scope:p} AND {tenant:s} AND {tenant:g} AND p.id = s.id AND s.differs AND g.n = s.household_n
""",
    """
INSERT INTO person_mark (tenant_id, area_code, person_id, household_id, mark_key, source)
SELECT m.tenant_id, g.area_code, s.id, g.id, m.mark_key, :source
  FROM stage_mark m JOIN stage_person s ON s.n = m.person_n JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:m} AND {tenant:s} AND {tenant:g} AND s.skip IS NULL AND NOT m.known
""",
    """
INSERT INTO household_income (tenant_id, area_code, household_id, year, amount, source)
SELECT g.tenant_id, g.area_code, g.id, g.income_year, g.income, :source
  FROM stage_household g WHERE {tenant:g} AND g.skip IS NULL AND g.income_year IS NOT NULL
ON CONFLICT (tenant_id, household_id, year) DO UPDATE
   SET amount = excluded.amount, source = excluded.source, version = household_income.version + 1, updated_at = now()
 WHERE household_income.amount <> excluded.amount
""",
    _SAVE_VALUES.format(entity="household", owner="g", join="stage_household g ON g.n = v.n"),
    _SAVE_VALUES.format(
        entity="person",
        owner="s",
        join="stage_person s ON s.n = v.n JOIN stage_household g ON g.n = s.household_n",
    ),
)
