"""The statements by which a bulk write keeps the memberships; see ``bulk_sql`` for what they read."""

from __future__ import annotations

from xiangyue.features.households.bulk_steps import OfPersons

# ruff: noqa: S608 - statements are put together from constants of this module only

# Who is in the register already, and moves, leaves or comes back by what the roster says.
_TURNS = """{tenant:k} AND {tenant:s} AND {tenant:g} AND {tenant:p} AND s.differs AND g.n = s.household_n
   AND p.id = s.id AND k.person_id = s.id AND k.household_id = s.home AND k.valid_to IS NULL
   AND (s.home <> g.id OR p.away <> coalesce(s.away, p.away))"""
_LIVING = "CASE WHEN s.away THEN false WHEN s.away IS NOT NULL THEN true ELSE k.living END"
_RELATION = "coalesce(nullif(s.relation, ''), k.relation)"

#: ``id``: where who is new has an id; ``fresh``: who is new.
FIRST_MEMBERS = """
INSERT INTO household_member (tenant_id, area_code, person_id, household_id, registered, living, relation, valid_from)
SELECT s.tenant_id, g.area_code, s.{id}, g.{id}, true, s.away IS NOT TRUE, s.relation,
       coalesce(s.birth_date, date '1900-01-01')
  FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {{tenant:s}} AND {{tenant:g}}{fresh} ORDER BY s.{id}
"""

#: To run while the persons still stand as they were. Who is new is registered there since birth, and lives there
#: unless away (外出). Who moves, leaves or comes back does so today: a membership of today is changed, an older one
#: ends and is followed by another. What else the person belongs to stays.
MEMBERS = (
    FIRST_MEMBERS.format(id="id", fresh=" AND s.fresh"),
    OfPersons(
        f"""
UPDATE household_member k
   SET area_code = g.area_code, household_id = g.id, living = {_LIVING}, relation = {_RELATION}
  FROM stage_person s, stage_household g, person p
 WHERE {_TURNS} AND k.valid_from >= :today
"""
    ),
    # Before the second membership of a person comes (`memberships` does the same).
    OfPersons(
        f"""
WITH turning AS (
     SELECT DISTINCT s.id FROM household_member k, stage_person s, stage_household g, person p
      WHERE {_TURNS} AND k.valid_from < :today),
rows AS (
     UPDATE household_member k SET several = true FROM turning t
      WHERE {{tenant:k}} AND k.person_id = t.id AND NOT k.several)
UPDATE person p SET several = true FROM turning t WHERE {{tenant:p}} AND p.id = t.id AND NOT p.several
"""
    ),
    OfPersons(
        f"""
WITH gone AS (
     UPDATE household_member k SET valid_to = :today
       FROM stage_person s, stage_household g, person p
      WHERE {_TURNS} AND k.valid_from < :today
     RETURNING k.tenant_id, g.area_code, k.person_id, g.id AS household_id, k.registered, {_LIVING} AS living,
               {_RELATION} AS relation)
INSERT INTO household_member (tenant_id, area_code, person_id, household_id, registered, living, relation, several,
                              valid_from)
SELECT n.tenant_id, n.area_code, n.person_id, n.household_id, n.registered, n.living, n.relation, true, :today
  FROM gone n
 WHERE {{tenant:n}}
"""
    ),
    OfPersons(
        """
UPDATE household_member k SET relation = s.relation
  FROM stage_person s JOIN stage_household g ON g.n = s.household_n
 WHERE {tenant:k} AND {tenant:s} AND {tenant:g} AND s.differs AND s.relation <> '' AND k.person_id = s.id
   AND k.household_id = g.id AND k.valid_to IS NULL AND k.relation <> s.relation
"""
    ),
)
