"""The statements by which a bulk write writes, in order; see ``bulk_sql`` for what they read."""

from __future__ import annotations

from xiangyue.features.households.bulk_members import FIRST_MEMBERS, MEMBERS
from xiangyue.features.households.bulk_sql import (
    HOUSEHOLD_AFTER,
    HOUSEHOLD_BEFORE,
    HOUSEHOLD_DIFFERS,
    HOUSEHOLD_PAIR,
    PERSON_AFTER,
    PERSON_BEFORE,
    PERSON_PAIR,
)
from xiangyue.features.households.bulk_steps import OfChanges, OfHouseholds, OfPersons

# ruff: noqa: S608 - statements are put together from constants of this module only

#: The caller's row number and the id of what was written.
HOUSEHOLD_ROWS = """
SELECT g.row_no, coalesce(g.id, g.new_id) FROM stage_household g
 WHERE {tenant:g} AND coalesce(g.id, g.new_id) IS NOT NULL AND g.skip IS NULL
"""
PERSON_ROWS = """
SELECT s.row_no, coalesce(s.id, s.new_id) FROM stage_person s
 WHERE {tenant:s} AND coalesce(s.id, s.new_id) IS NOT NULL AND s.skip IS NULL
"""

NEW_HOUSEHOLD_IDS = "UPDATE stage_household g SET id = g.new_id WHERE {tenant:g} AND g.fresh"
NEW_PERSON_IDS = "UPDATE stage_person s SET id = s.new_id WHERE {tenant:s} AND s.fresh"

#: First and last id of what is new.
MADE_HOUSEHOLDS = "SELECT min(g.id), max(g.id) FROM stage_household g WHERE {tenant:g} AND g.fresh"
MADE_PERSONS = "SELECT min(s.id), max(s.id) FROM stage_person s WHERE {tenant:s} AND s.fresh"

#: Households a person leaves; those whose head, order or size may change; those that change area.
HOUSEHOLDS_LEFT = OfPersons(
    """
SELECT DISTINCT s.home FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:g} AND s.skip IS NULL AND s.home IS NOT NULL AND s.home <> g.id
"""
)
HOUSEHOLDS_STALE = """
SELECT DISTINCT g.id FROM stage_household g JOIN stage_person s ON s.household_n = g.n
 WHERE {tenant:g} AND {tenant:s} AND g.skip IS NULL AND (NOT s.fresh AND (g.fresh OR s.differs)
       OR s.fresh AND NOT g.fresh OR s.skip IS NOT NULL)
"""
HOUSEHOLDS_MOVED = OfHouseholds(
    """
SELECT g.id FROM stage_household g JOIN household h ON h.id = g.id
 WHERE {tenant:g} AND {tenant:h} AND g.differs AND h.area_code <> g.area_code
"""
)
#: As they stand: before the writing what is left, after it what has come.
HOUSEHOLDS_REWRITTEN = OfHouseholds(
    """
SELECT h.id, h.code, h.address, h.area_code FROM stage_household g JOIN household h ON h.id = g.id
 WHERE {tenant:g} AND {tenant:h} AND g.skip IS NULL AND g.differs
"""
)
PERSONS_RENAMED = OfPersons(
    """
SELECT s.id FROM stage_person s JOIN person p ON p.id = s.id JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:p} AND {tenant:g} AND s.differs AND (p.name <> s.name OR p.household_id <> g.id)
"""
)
PERSONS_MOVED = OfPersons(
    """
SELECT s.id FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:g} AND s.skip IS NULL AND s.home <> g.id
"""
)
#: Who and what is new, as the search needs to know it.
NEW_PERSONS = """
SELECT s.name, s.id, g.id, g.area_code FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:s} AND {tenant:g} AND s.fresh
"""
NEW_HOUSEHOLDS = """
SELECT g.id, g.code, g.address, g.area_code FROM stage_household g WHERE {tenant:g} AND g.fresh
"""

_AUDIT = """
INSERT INTO audit_entry (tenant_id, actor_kind, account_id, actor_name, action, object_type, object_id, object_label,
                         area_code, before, after, purpose, ip, request_id)
SELECT {alias}.tenant_id, :actor_kind, CAST(:account AS bigint), :actor_name, '{entity}.import', '{entity}',
       {alias}.id, {label}, g.area_code, {before}, {after}, :source, :ip, :request
  FROM {pair}
"""

#: Households, persons, and what hangs on them. ``id``: where new ones have their id; ``fresh``: which are new.
_HOUSEHOLDS = """
INSERT INTO household (tenant_id, id, area_code, code, head_name, sort_key, person_count, registered_count,
                       living_count, address, import_batch_id)
SELECT g.tenant_id, g.{id}, g.area_code, g.code, g.head_name, g.sort_key, {persons}, {persons}, {living}, g.address,
       CAST(:batch AS bigint)
  FROM stage_household g{sizes}
 WHERE {{tenant:g}}{fresh} ORDER BY g.{id}
"""
_SIZES = """
  LEFT JOIN (SELECT s.household_n, count(*) AS n, count(*) FILTER (WHERE s.away IS NOT TRUE) AS living
               FROM stage_person s WHERE {tenant:s} AND s.skip IS NULL
              GROUP BY s.household_n) size ON size.household_n = g.n"""
_PERSONS = """
INSERT INTO person (tenant_id, id, area_code, household_id, name, sort_key, relation, sex, birth_date, nationality,
                    id_number, id_number_index, id_number_tail, phone, phone_index, phone_tail, away, import_batch_id)
SELECT s.tenant_id, s.{id}, g.area_code, g.{id}, s.name, s.sort_key, s.relation, s.sex, s.birth_date, s.nationality,
       s.id_number, s.id_number_index, s.id_number_tail, s.phone, s.phone_index, s.phone_tail, coalesce(s.away, false),
       CAST(:batch AS bigint)
  FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {{tenant:s}} AND {{tenant:g}}{fresh} ORDER BY s.{id}
"""
_MARKS = """
INSERT INTO person_mark (tenant_id, area_code, person_id, household_id, mark_key, source)
SELECT m.tenant_id, g.area_code, s.{id}, g.{id}, m.mark_key, :source
  FROM stage_mark m JOIN stage_person s ON s.n = m.person_n JOIN stage_household g ON g.n = s.household_n
 WHERE {{tenant:m}} AND {{tenant:s}} AND {{tenant:g}} AND s.skip IS NULL AND NOT m.known
"""
_INCOMES = """
INSERT INTO household_income (tenant_id, area_code, household_id, year, amount, source)
SELECT g.tenant_id, g.area_code, g.{id}, g.income_year, g.income, :source
  FROM stage_household g WHERE {{tenant:g}} AND g.skip IS NULL AND g.income_year IS NOT NULL
"""
_VALUES = """
INSERT INTO custom_value (tenant_id, area_code, field_id, owner_id, text_value, int_value, date_value)
SELECT v.tenant_id, g.area_code, v.field_id, {owner}.{id}, v.text_value, v.int_value, v.date_value
  FROM stage_value v JOIN {join}
 WHERE {{tenant:v}} AND {{tenant:g}} AND v.entity = '{entity}' AND {owner}.skip IS NULL AND NOT v.known
"""
_OWNERS = (
    {"entity": "household", "owner": "g", "join": "stage_household g ON g.n = v.n"},
    {
        "entity": "person",
        "owner": "s",
        "join": "stage_person s ON s.n = v.n JOIN stage_household g ON g.n = s.household_n",
    },
)
_OR_INCOME = """ON CONFLICT (tenant_id, household_id, year) DO UPDATE
   SET amount = excluded.amount, source = excluded.source, version = household_income.version + 1, updated_at = now()
 WHERE household_income.amount <> excluded.amount
"""
_OR_VALUE = """ON CONFLICT (tenant_id, field_id, owner_id) DO UPDATE
   SET text_value = excluded.text_value, int_value = excluded.int_value, date_value = excluded.date_value
 WHERE (custom_value.text_value, custom_value.int_value, custom_value.date_value)
       IS DISTINCT FROM (excluded.text_value, excluded.int_value, excluded.date_value)
"""

WRITE = (
    OfChanges(
        _AUDIT.format(
            alias="g",
            entity="household",
            label="g.head_name",
            before=HOUSEHOLD_BEFORE,
            after=HOUSEHOLD_AFTER,
            pair=HOUSEHOLD_PAIR,
        )
    ),
    OfChanges(
        _AUDIT.format(
            alias="s", entity="person", label="s.name", before=PERSON_BEFORE, after=PERSON_AFTER, pair=PERSON_PAIR
        )
    ),
    _HOUSEHOLDS.format(
        id="id", persons="coalesce(size.n, 0)", living="coalesce(size.living, 0)", sizes=_SIZES, fresh=" AND g.fresh"
    ),
    OfHouseholds(
        f"""
UPDATE household h SET area_code = g.area_code, address = coalesce(nullif(g.address, ''), h.address),
       import_batch_id = coalesce(CAST(:batch AS bigint), h.import_batch_id),
       version = h.version + 1, updated_at = now()
  FROM stage_household g
 WHERE {{scope:h}} AND {{tenant:g}} AND h.id = g.id AND g.differs AND {HOUSEHOLD_DIFFERS}
"""
    ),
    _PERSONS.format(id="id", fresh=" AND s.fresh"),
    *MEMBERS,
    OfPersons(
        """
UPDATE person p SET area_code = g.area_code, household_id = g.id, name = s.name, sort_key = s.sort_key,
       relation = coalesce(nullif(s.relation, ''), p.relation), sex = coalesce(nullif(s.sex, 0), p.sex),
       birth_date = coalesce(s.birth_date, p.birth_date),
       nationality = coalesce(nullif(s.nationality, ''), p.nationality),
       id_number = CASE WHEN s.id_number_index IS NULL THEN p.id_number ELSE coalesce(s.id_number, p.id_number) END,
       id_number_index = coalesce(s.id_number_index, p.id_number_index),
       id_number_tail = coalesce(s.id_number_tail, p.id_number_tail),
       phone = CASE WHEN s.phone_index IS NULL THEN p.phone ELSE coalesce(s.phone, p.phone) END,
       phone_index = coalesce(s.phone_index, p.phone_index),
       phone_tail = coalesce(s.phone_tail, p.phone_tail),
       away = coalesce(s.away, p.away), import_batch_id = coalesce(CAST(:batch AS bigint), p.import_batch_id),
       version = p.version + 1, updated_at = now()
  FROM stage_household g, stage_person s
 WHERE {scope:p} AND {tenant:s} AND {tenant:g} AND p.id = s.id AND s.differs AND g.n = s.household_n
"""
    ),
    _MARKS.format(id="id"),
    _INCOMES.format(id="id") + _OR_INCOME,
    *(_VALUES.format(id="id", **owner) + _OR_VALUE for owner in _OWNERS),
)

#: The same for a chunk of which nothing stands and nothing is left out: all of it is new, by the ids it came with.
#: First what has a code or a citizen number; then what hangs on it.
WRITE_NEW_RECORDS = (
    _HOUSEHOLDS.format(id="new_id", persons="g.persons", living="g.living", sizes="", fresh=""),
    _PERSONS.format(id="new_id", fresh=""),
)
WRITE_NEW_REST = (
    FIRST_MEMBERS.format(id="new_id", fresh=""),
    _MARKS.format(id="new_id"),
    _INCOMES.format(id="new_id"),
    *(_VALUES.format(id="new_id", **owner) for owner in _OWNERS),
)
