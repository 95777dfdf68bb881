"""The statements by which a bulk write finds the record that another one was merged into; see ``bulk_sql`` for what
they read. A roster goes on naming the old number for years: it means the one that stayed."""

from __future__ import annotations

from xiangyue.features.households.bulk_steps import OfHouseholds, OfPersons

#: After households were found by code. Where and in what area it lies is what the record that stayed says.
MERGED_HOUSEHOLDS = (
    OfHouseholds(
        """
UPDATE stage_household g SET id = m.id, area_code = m.area_code, address = '',
       skip = CASE WHEN NOT {scope:m} THEN 'household_elsewhere'
                   WHEN EXISTS (SELECT 1 FROM stage_household o WHERE {tenant:o} AND o.id = m.id) THEN 'household_twice'
                   ELSE g.skip END
  FROM household h, household m
 WHERE {tenant:g} AND {tenant:h} AND {tenant:m} AND h.id = g.id AND h.merged_into_id = m.id
"""
    ),
)
#: After persons were found by citizen number. The number that stands stays: a person chose it.
MERGED_PERSONS = (
    OfPersons(
        """
UPDATE stage_person s SET id = m.id, home = m.household_id, mine = {scope:m}, id_number_index = NULL,
       id_number_tail = NULL,
       skip = CASE WHEN EXISTS (SELECT 1 FROM stage_person o WHERE {tenant:o} AND o.id = m.id) THEN 'person_twice'
                   ELSE s.skip END
  FROM person p, person m
 WHERE {tenant:s} AND {tenant:p} AND {tenant:m} AND p.id = s.id AND p.merged_into_id = m.id
"""
    ),
)
