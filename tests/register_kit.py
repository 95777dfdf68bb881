"""A checksum over everything an import writes, the same whatever ids and order the rows got."""

from __future__ import annotations

import hashlib

import psycopg

_REGISTER = (
    "SELECT h.code, h.area_code, h.head_name, h.sort_key, h.person_count, h.registered_count, h.living_count,"
    " h.address, h.state FROM household h WHERE h.tenant_id = %(t)s ORDER BY 1",
    "SELECT h.code, p.name, p.sort_key, p.relation, p.sex, p.birth_date, p.nationality, p.area_code, p.away, p.state,"
    " encode(p.id_number_index, 'hex'), encode(p.phone_index, 'hex'), p.id_number IS NULL, p.phone IS NULL"
    " FROM person p JOIN household h ON h.tenant_id = p.tenant_id AND h.id = p.household_id"
    " WHERE p.tenant_id = %(t)s ORDER BY 1, 2, 11",
    "SELECT p.name, encode(p.id_number_index, 'hex'), h.code, m.area_code, m.registered, m.living, m.relation,"
    " m.valid_from, m.valid_to FROM household_member m"
    " JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id"
    " JOIN household h ON h.tenant_id = m.tenant_id AND h.id = m.household_id"
    " WHERE m.tenant_id = %(t)s ORDER BY 2, 1, 8, 3",
    "SELECT p.name, encode(p.id_number_index, 'hex'), m.mark_key, m.area_code FROM person_mark m"
    " JOIN person p ON p.tenant_id = m.tenant_id AND p.id = m.person_id WHERE m.tenant_id = %(t)s ORDER BY 2, 3, 1",
    "SELECT h.code, i.year, i.amount FROM household_income i"
    " JOIN household h ON h.tenant_id = i.tenant_id AND h.id = i.household_id WHERE i.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT h.code, s.suffix FROM name_suffix s"
    " JOIN household h ON h.tenant_id = s.tenant_id AND h.id = s.household_id WHERE s.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT h.code, a.award_key, a.year, a.awarded FROM household_award a"
    " JOIN household h ON h.tenant_id = a.tenant_id AND h.id = a.household_id WHERE a.tenant_id = %(t)s"
    " ORDER BY 1, 2, 3",
    "SELECT f.entity, f.key, coalesce(h.code, encode(p.id_number_index, 'hex'), p.name), v.area_code, v.text_value,"
    " v.int_value, v.date_value FROM custom_value v"
    " JOIN custom_field f ON f.tenant_id = v.tenant_id AND f.id = v.field_id"
    " LEFT JOIN household h ON h.tenant_id = v.tenant_id AND h.id = v.owner_id AND f.entity = 'household'"
    " LEFT JOIN person p ON p.tenant_id = v.tenant_id AND p.id = v.owner_id AND f.entity = 'person'"
    " WHERE v.tenant_id = %(t)s ORDER BY 1, 2, 3, 5",
    "SELECT h.code, l.piece, l.area_code FROM household_piece l"
    " JOIN household h ON h.tenant_id = l.tenant_id AND h.id = l.id WHERE l.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT DISTINCT s.suffix, s.piece FROM piece_suffix s WHERE s.tenant_id = %(t)s ORDER BY 1, 2",
    "SELECT a.area_code, a.name FROM area a WHERE a.tenant_id = %(t)s ORDER BY 1",
)
_TABLES = (
    "import_change",
    "household_piece",
    "piece_suffix",
    "custom_value",
    "household_award",
    "household_income",
    "person_mark",
    "name_suffix",
    "person",
    "household",
)


def checksum(owner_url: str, tenant_id: int) -> tuple[str, int]:
    """(checksum, number of households) of a county as the owning role sees it."""
    digest = hashlib.sha256()
    with psycopg.connect(owner_url) as connection:
        for statement in _REGISTER:
            for row in connection.execute(statement, {"t": tenant_id}):
                digest.update(repr(row).encode())
        found = connection.execute("SELECT count(*) FROM household WHERE tenant_id = %s", [tenant_id]).fetchone()
    assert found is not None
    return digest.hexdigest(), found[0]


def clear(owner_url: str, tenant_id: int) -> None:
    """Take the register's households away, past every rule."""
    with psycopg.connect(owner_url) as connection:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [tenant_id])
        connection.execute("DELETE FROM area WHERE tenant_id = %s AND level = 'group'", [tenant_id])
