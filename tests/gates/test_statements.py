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
    ],
)
def test_a_scoped_statement_passes(statement: str) -> None:
    assert statement_faults([statement], OWNED) == []
