"""Every statement of the whole test run names the tenant for each tenant-owned table it reaches."""

from __future__ import annotations

import pytest

from xiangyue.testing.statements import SEEN, statement_faults

OWNED = frozenset({"household", "person"})


@pytest.mark.last
def test_every_statement_names_the_tenant() -> None:
    assert SEEN, "no statement was recorded: the recorder is broken, or only this test was run"
    assert statement_faults(SEEN) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("SELECT id FROM household", "household"),
        (
            "SELECT id FROM household h WHERE EXISTS (SELECT 1 FROM person p WHERE p.tenant_id = 3)",
            "household",
        ),
        ("UPDATE household SET note = '' WHERE household.id = 3", "household"),
        ("DELETE FROM person WHERE id = 1", "person"),
        ("INSERT INTO household (tenant_id, id) SELECT p.tenant_id, p.id FROM person p", "person"),
        ("WITH a AS (SELECT id FROM person) SELECT * FROM a", "person"),
        (
            "SELECT 1 FROM household h JOIN person p ON p.household_id = h.id WHERE h.tenant_id = %(t)s",
            "person",
        ),
        ("SELECT id FROM household h WHERE h.tenant_id = 1 OR true", "household"),
        ("SELECT id FROM household h WHERE NOT (h.tenant_id = 1)", "household"),
        ("SELECT id FROM household h WHERE (h.id = 3 OR h.tenant_id = 1) AND h.note = ''", "household"),
        ("SELECT id FROM household h WHERE h.tenant_id = h.tenant_id + 0", "household"),
        ("SELECT h.tenant_id = 1 FROM household h", "household"),
        (
            "SELECT 1 FROM household h WHERE h.tenant_id = 1 AND h.id IN (SELECT h.id FROM household h)",
            "household",
        ),
        (
            "SELECT 1 FROM household h WHERE h.id IN (SELECT h.id FROM household h WHERE h.tenant_id = 1)",
            "household",
        ),
        (
            "WITH a AS (SELECT p.id FROM person p WHERE p.tenant_id = h.tenant_id)"
            " SELECT 1 FROM household h JOIN a ON a.id = h.id WHERE h.tenant_id = 1",
            "person",
        ),
        (
            "SELECT 1 FROM household h LEFT JOIN person p ON p.tenant_id = 1 AND h.tenant_id = 1",
            "household",
        ),
        ("UPDATE household h SET note = '' FROM person p WHERE h.tenant_id = 1 AND p.id = h.id", "person"),
        ("SELECT id FROM household WHERE tenant_id = 1 UNION SELECT id FROM household", "household"),
    ],
)
def test_a_planted_statement_is_found(statement: str, table: str) -> None:
    faults = statement_faults([statement], OWNED)
    assert [f.split(" ")[0] for f in faults] == [table]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT household.id FROM household WHERE household.tenant_id = %(a)s::INTEGER AND household.id = 1",
        "SELECT 1 FROM household h JOIN person p ON p.tenant_id = h.tenant_id AND p.household_id = h.id"
        " WHERE h.tenant_id = %(t)s",
        "INSERT INTO household (tenant_id, id) VALUES (%(a)s, 3) RETURNING household.id",
        "WITH person AS (SELECT 1 AS id) SELECT * FROM person",
        "SELECT 1 FROM household h WHERE h.tenant_id = %(t)s"
        " AND EXISTS (SELECT 1 FROM person p WHERE p.tenant_id = h.tenant_id AND p.household_id = h.id)",
        "SELECT 1 FROM household h LEFT JOIN person p ON p.tenant_id = h.tenant_id WHERE h.tenant_id = %(t)s",
        "DELETE FROM person WHERE tenant_id = %(t)s AND (id = 1 OR id = 2)",
        "UPDATE household h SET note = p.note FROM person p WHERE h.tenant_id = %(t)s AND p.tenant_id = h.tenant_id",
        "SELECT 1 FROM household h CROSS JOIN LATERAL"
        " (SELECT p.id FROM person p WHERE p.tenant_id = h.tenant_id LIMIT 1) x WHERE h.tenant_id = %(t)s",
    ],
)
def test_a_scoped_statement_passes(statement: str) -> None:
    assert statement_faults([statement], OWNED) == []
