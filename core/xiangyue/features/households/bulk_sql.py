"""The statements by which a bulk write finds and compares, in order; ``bulk_write_sql`` has those that write. They read
``stage_household`` (alias g), ``stage_person`` (s), ``stage_mark`` (m) and ``stage_value`` (v),
which carry the tenant too; see ``bulk_stage``, and ``bulk_steps`` for those that a first import can do without.

Flags of a staged row: ``skip`` says why it is left out; ``fresh`` it is new; ``differs`` the record itself is to be
updated; ``changed`` it or something that hangs on it; ``known`` (marks, values) it stands already.
"""

from __future__ import annotations

from xiangyue.features.households.bulk_merged import MERGED_HOUSEHOLDS, MERGED_PERSONS
from xiangyue.features.households.bulk_steps import OfHouseholds, OfPersons

# ruff: noqa: S608 - statements are put together from constants of this module only

#: The area of a household (alias g), or the village in which its group may be made.
AREA_STANDS = """
       SELECT 1 FROM area a
        WHERE {tenant:a} AND a.active AND (
              (a.area_code = g.area_code AND a.level IN ('village', 'group'))
              OR (:groups AND a.level = 'village' AND a.area_code = g.area_code - g.area_code % 1000))"""
#: Leaves out the households that may not be written.
PLACE_HOUSEHOLDS = (
    # Once for each area, of which there are few.
    f"""
WITH places AS MATERIALIZED (
     SELECT DISTINCT g.tenant_id, g.area_code FROM stage_household g WHERE {{tenant:g}}),
closed AS MATERIALIZED (
     SELECT g.area_code FROM places g WHERE {{tenant:g}} AND NOT EXISTS ({AREA_STANDS}))
UPDATE stage_household g SET skip = 'area_unknown' FROM closed c WHERE {{tenant:g}} AND g.area_code = c.area_code
""",
    "UPDATE stage_household g SET skip = 'area_outside' WHERE {tenant:g} AND NOT {scope:g}",
)
#: Finds them by code.
FIND_HOUSEHOLDS = (
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
FIND_PERSONS = (
    """
UPDATE stage_person s SET id = p.id, home = p.household_id, mine = {scope:p}
  FROM person p
 WHERE {tenant:s} AND {tenant:p} AND s.id_number_index IS NOT NULL AND p.id_number_index = s.id_number_index
""",
    *MERGED_PERSONS,
    OfHouseholds(
        _BY_NAME.format(
            born_s=", s.birth_date",
            born_p=", p.birth_date",
            condition="known.birth_date IS NOT DISTINCT FROM wanted.birth_date",
        )
    ),
    OfHouseholds(
        _BY_NAME.format(born_s="", born_p="", condition="(known.birth_date IS NULL OR wanted.birth_date IS NULL)")
    ),
)
MATCH_PERSONS = (
    OfPersons("UPDATE stage_person s SET skip = 'person_elsewhere' WHERE {tenant:s} AND NOT s.mine"),
    # Another family under the same number, more likely than not; a head who only changed stands in the rows too.
    OfHouseholds(
        """
UPDATE stage_person s SET skip = 'head_other'
  FROM stage_household g, person p
 WHERE {tenant:s} AND {tenant:g} AND {tenant:p} AND s.skip IS NULL AND s.relation = '02'
   AND g.n = s.household_n AND g.skip IS NULL AND p.household_id = g.id AND p.state = 'active' AND p.relation = '02'
   AND p.id IS DISTINCT FROM s.id AND NOT EXISTS (SELECT 1 FROM stage_person t WHERE {tenant:t} AND t.id = p.id)
"""
    ),
    """
UPDATE stage_person s SET skip = 'household' FROM stage_household g
 WHERE {tenant:s} AND {tenant:g} AND g.n = s.household_n AND g.skip IS NOT NULL
""",
    # Registered elsewhere and living here: "away" would take the person out of this roster's household altogether.
    OfPersons(
        """
UPDATE stage_person s SET away = NULL FROM household_member k
 WHERE {tenant:s} AND {tenant:k} AND s.away AND k.person_id = s.id AND k.valid_to IS NULL
   AND k.living AND NOT k.registered
"""
    ),
)

_PERSON_DIFFERS = """(p.name <> s.name OR p.household_id IS DISTINCT FROM g.id
    OR (s.relation <> '' AND p.relation <> s.relation) OR (s.sex <> 0 AND p.sex <> s.sex)
    OR (s.nationality <> '' AND p.nationality <> s.nationality)
    OR (s.birth_date IS NOT NULL AND p.birth_date IS DISTINCT FROM s.birth_date)
    OR (s.id_number_index IS NOT NULL AND p.id_number_index IS DISTINCT FROM s.id_number_index)
    OR (s.phone_index IS NOT NULL AND p.phone_index IS DISTINCT FROM s.phone_index)
    OR (s.away IS NOT NULL AND p.away <> s.away))"""
HOUSEHOLD_DIFFERS = "(h.area_code <> g.area_code OR (g.address <> '' AND h.address <> g.address))"
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
    OfHouseholds(
        f"""
UPDATE stage_household g SET differs = true, changed = true FROM household h
 WHERE {{tenant:g}} AND {{tenant:h}} AND h.id = g.id AND g.skip IS NULL AND {HOUSEHOLD_DIFFERS}
"""
    ),
    OfHouseholds(
        """
UPDATE stage_household g SET changed = true
 WHERE {tenant:g} AND g.id IS NOT NULL AND g.skip IS NULL AND g.income_year IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM household_income i
        WHERE {tenant:i} AND i.household_id = g.id AND i.year = g.income_year AND i.amount = g.income)
"""
    ),
    OfHouseholds(_VALUE_KNOWN.format(table="stage_household", entity="household")),
    OfHouseholds(_VALUE_CHANGED.format(table="stage_household", entity="household")),
    OfPersons(
        f"""
UPDATE stage_person s SET differs = true, changed = true FROM person p, stage_household g
 WHERE {{tenant:s}} AND {{tenant:p}} AND {{tenant:g}} AND p.id = s.id AND g.n = s.household_n AND s.skip IS NULL
   AND {_PERSON_DIFFERS}
"""
    ),
    OfPersons(
        """
WITH standing AS MATERIALIZED (
     SELECT k.person_id, k.mark_key FROM person_mark k
      WHERE {tenant:k} AND k.valid_to IS NULL AND k.household_id = ANY(ARRAY(
            SELECT DISTINCT s.home FROM stage_person s WHERE {tenant:s} AND s.home IS NOT NULL)))
UPDATE stage_mark m SET known = true FROM stage_person s, standing
 WHERE {tenant:m} AND {tenant:s} AND s.n = m.person_n AND standing.person_id = s.id AND standing.mark_key = m.mark_key
"""
    ),
    OfPersons(
        """
UPDATE stage_person s SET changed = true FROM stage_mark m
 WHERE {tenant:s} AND {tenant:m} AND m.person_n = s.n AND NOT m.known AND NOT s.fresh AND s.skip IS NULL
"""
    ),
    OfPersons(_VALUE_KNOWN.format(table="stage_person", entity="person")),
    OfPersons(_VALUE_CHANGED.format(table="stage_person", entity="person")),
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
#: The first new ones, by the caller's row numbers.
FRESH = "SELECT g.row_no FROM stage_household g WHERE {tenant:g} AND (g.fresh OR :every) ORDER BY g.n LIMIT :limit"

HOUSEHOLD_BEFORE = """jsonb_strip_nulls(jsonb_build_object(
       'address', CASE WHEN g.address <> '' AND h.address <> g.address THEN h.address END,
       'area_code', CASE WHEN h.area_code <> g.area_code THEN h.area_code END,
       'income', CASE WHEN i.amount <> g.income THEN i.amount END,
       'income_year', CASE WHEN i.amount <> g.income THEN g.income_year END))"""
HOUSEHOLD_AFTER = """jsonb_strip_nulls(jsonb_build_object(
       'address', CASE WHEN g.address <> '' AND h.address <> g.address THEN g.address END,
       'area_code', CASE WHEN h.area_code <> g.area_code THEN g.area_code END,
       'income', CASE WHEN i.amount IS DISTINCT FROM g.income THEN g.income END,
       'income_year', CASE WHEN i.amount IS DISTINCT FROM g.income THEN g.income_year END))"""
HOUSEHOLD_PAIR = """stage_household g JOIN household h ON h.id = g.id
       LEFT JOIN household_income i ON {tenant:i} AND i.household_id = g.id AND i.year = g.income_year
 WHERE {tenant:g} AND {tenant:h} AND g.changed"""


#: In a dry run: how many leave which household, and which of those that stand are in the file.
LEAVING = OfPersons(
    """
SELECT s.home, count(*) FROM stage_person s JOIN stage_household g ON g.n = s.household_n JOIN person p ON p.id = s.id
 WHERE {tenant:s} AND {tenant:g} AND {tenant:p} AND s.skip IS NULL AND s.home IS DISTINCT FROM g.id
   AND p.state = 'active' GROUP BY s.home
"""
)
STANDING = OfHouseholds("SELECT g.id FROM stage_household g WHERE {tenant:g} AND g.id IS NOT NULL AND g.skip IS NULL")
#: Of households that somebody leaves: how many persons stand in them; not of those where others live who are registered
#: elsewhere.
LEFT = """
SELECT h.id, h.person_count FROM household h
 WHERE {tenant:h} AND h.id = ANY(:ids) AND h.state = 'active' AND NOT EXISTS (
       SELECT FROM household_member k
        WHERE {tenant:k} AND k.household_id = h.id AND k.valid_to IS NULL AND NOT k.registered)
"""
_HOME_BEFORE = """CASE WHEN p.household_id IS DISTINCT FROM g.id THEN (
       SELECT o.code FROM household o WHERE {tenant:o} AND o.id = p.household_id) END"""


def _person_changes(old: str, new: str, *, sample: bool = False) -> str:
    """The differing fields as JSON, from ``old`` or ``new``; identifiers stay hidden. ``sample``: of another household
    its code, as in a dry run a new one has no id."""
    side = new if new else old
    plain = [("name", "true"), ("relation", "s.relation <> ''"), ("sex", "s.sex <> 0"),
             ("nationality", "s.nationality <> ''"), ("birth_date", "s.birth_date IS NOT NULL"),
             ("away", "s.away IS NOT NULL")]  # fmt: skip
    parts = [
        f"'{column}', CASE WHEN {given} AND p.{column} IS DISTINCT FROM s.{column} THEN {side}.{column} END"
        for column, given in plain
    ]
    code = "CASE WHEN p.household_id IS DISTINCT FROM g.id THEN g.code END" if new else _HOME_BEFORE
    parts.append(
        f"'household_code', {code}"
        if sample
        else "'household_id', CASE WHEN p.household_id IS DISTINCT FROM g.id THEN "
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


PERSON_BEFORE, PERSON_AFTER = _person_changes("p", ""), _person_changes("p", "s")
_SAMPLE_BEFORE, _SAMPLE_AFTER = _person_changes("p", "", sample=True), _person_changes("p", "s", sample=True)
PERSON_PAIR = """stage_person s JOIN person p ON p.id = s.id JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:p} AND {tenant:g} AND s.changed"""

SAMPLES = f"""
(SELECT 'household', g.head_name, {HOUSEHOLD_BEFORE}, {HOUSEHOLD_AFTER} FROM {HOUSEHOLD_PAIR} LIMIT :limit)
UNION ALL
(SELECT 'person', s.name, {_SAMPLE_BEFORE}, {_SAMPLE_AFTER} FROM {PERSON_PAIR} LIMIT :limit)
LIMIT :limit
"""
