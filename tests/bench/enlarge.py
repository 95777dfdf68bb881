"""A county made larger within PostgreSQL: its families again, in the same villages, under further numbers.

Much faster than making them one by one. Copies have ids and numbers of their own and the source's names, addresses and
encrypted citizen numbers; the keyed hash of a number must be unique, so that of a copy is one of the hash.
"""

from __future__ import annotations

from typing import Any

import psycopg

#: Households copied in a statement: a transaction of moderate size.
STEP = 50_000

_HOUSEHOLDS = """
INSERT INTO household (tenant_id, id, area_code, code, head_name, sort_key, person_count, registered_count,
                       living_count, address)
SELECT tenant_id, id + %(households)s, area_code,
       left(code, 12) || lpad((substr(code, 13)::int + %(numbers)s)::text, 4, '0'),
       head_name, sort_key, person_count, registered_count, living_count, address
  FROM household WHERE tenant_id = %(tenant)s AND id BETWEEN %(first)s AND %(last)s
"""
_PERSONS = """
INSERT INTO person (tenant_id, id, area_code, household_id, name, sort_key, relation, sex, birth_date, nationality,
                    id_number, id_number_index, id_number_tail, away)
SELECT tenant_id, id + %(persons)s, area_code, household_id + %(households)s, name, sort_key, relation, sex, birth_date,
       nationality, id_number, sha256(id_number_index || int8send(%(households)s)), id_number_tail, away
  FROM person WHERE tenant_id = %(tenant)s AND household_id BETWEEN %(first)s AND %(last)s
"""
_REST = (
    """
    INSERT INTO household_member (tenant_id, area_code, person_id, household_id, registered, living, relation,
                                  valid_from)
    SELECT tenant_id, area_code, person_id + %(persons)s, household_id + %(households)s, registered, living, relation,
           valid_from
      FROM household_member WHERE tenant_id = %(tenant)s AND household_id BETWEEN %(first)s AND %(last)s
    """,
    """
    INSERT INTO person_mark (tenant_id, area_code, person_id, household_id, mark_key)
    SELECT tenant_id, area_code, person_id + %(persons)s, household_id + %(households)s, mark_key
      FROM person_mark WHERE tenant_id = %(tenant)s AND household_id BETWEEN %(first)s AND %(last)s
    """,
    """
    INSERT INTO household_income (tenant_id, area_code, household_id, year, amount)
    SELECT tenant_id, area_code, household_id + %(households)s, year, amount
      FROM household_income WHERE tenant_id = %(tenant)s AND household_id BETWEEN %(first)s AND %(last)s
    """,
    """
    INSERT INTO name_suffix (tenant_id, area_code, suffix, id, household_id)
    SELECT tenant_id, area_code, suffix, id + %(persons)s, household_id + %(households)s
      FROM name_suffix WHERE tenant_id = %(tenant)s AND household_id BETWEEN %(first)s AND %(last)s
    """,
    """
    INSERT INTO household_piece (tenant_id, piece, area_code, id)
    SELECT tenant_id, piece, area_code, id + %(households)s
      FROM household_piece WHERE tenant_id = %(tenant)s AND id BETWEEN %(first)s AND %(last)s
    """,
)


def enlarge(owner_url: str, tenant_id: int, towards: int) -> int:
    """Copy the families of a county until it has ``towards`` households. Returns how many it has."""
    with psycopg.connect(owner_url) as connection:
        count, first, last, most = _row(
            connection,
            "SELECT count(*), min(id), max(id), max(substr(code, 13)::int) FROM household WHERE tenant_id = %s",
            [tenant_id],
        )
        base, copies = count, 0
        assert last - first + 1 == count, "the ids of the county stand in one row"
        while count < towards:
            copies += 1
            of_households, of_persons = _row(
                connection, "SELECT (SELECT max(id) FROM household), (SELECT max(id) FROM person)", []
            )
            least_person = _row(connection, "SELECT min(id) FROM person WHERE tenant_id = %s", [tenant_id])[0]
            wanted = min(base, towards - count)
            for start in range(first, first + wanted, STEP):
                params = {
                    "tenant": tenant_id,
                    "first": start,
                    "last": min(start + STEP, first + wanted) - 1,
                    "households": of_households - first + 1,
                    "persons": of_persons - least_person + 1,
                    "numbers": copies * (most + 1),
                }
                for statement in (_HOUSEHOLDS, _PERSONS, *_REST):
                    connection.execute(statement, params)
                connection.commit()
            count += wanted
        for table in ("household", "person"):
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    return int(count)


def _row(connection: psycopg.Connection[Any], statement: str, params: list[Any]) -> tuple[Any, ...]:
    found = connection.execute(statement, params).fetchone()
    assert found is not None
    return found
