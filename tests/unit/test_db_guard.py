"""Which statements somebody else's code may run: rows are read and written, nothing is ended, set or made."""

from __future__ import annotations

import pytest

from xiangyue.db.guard import Misuse, check_statement

MAY = [
    "SELECT 1",
    "  (SELECT 1) UNION (SELECT 2);",
    "-- what for\nSELECT 1 -- ; COMMIT",
    "/* ROLLBACK; */ WITH a AS (SELECT 1) SELECT * FROM a",
    "INSERT INTO note (body) VALUES ('; COMMIT')",
    "UPDATE note SET body = 'it''s; ROLLBACK' WHERE id = %(id)s",
    "SELECT E'\\'; COMMIT; ', $$; ROLLBACK$$, $a$; COMMIT$a$, \"; COMMIT\"",
    "DELETE FROM note n WHERE n.id = 1",
    "COPY note (body) FROM STDIN",
    "SELECT temp FROM weather",
    "SELECT 1" + " " * 5000,
]

MAY_NOT = {
    "COMMIT": "COMMIT",
    "rollback": "ROLLBACK",
    "ABORT": "ABORT",
    "END": "END",
    "BEGIN": "BEGIN",
    "START TRANSACTION": "START",
    "PREPARE TRANSACTION 'x'": "PREPARE",
    "SAVEPOINT a": "SAVEPOINT",
    "ROLLBACK TO SAVEPOINT sa_savepoint_1": "ROLLBACK",
    "RELEASE sa_savepoint_1": "RELEASE",
    "SET LOCAL search_path = pg_temp": "SET",
    "RESET ALL": "RESET",
    "DISCARD ALL": "DISCARD",
    "DEALLOCATE ALL": "DEALLOCATE",
    "EXECUTE xiangyue_0": "EXECUTE",
    "DO $$ BEGIN COMMIT; END $$": "DO",
    "CALL something()": "CALL",
    "CREATE TEMP TABLE household ()": "CREATE",
    "SELECT 1 INTO TEMP household": "INTO TEMP",
    "LISTEN x": "LISTEN",
    "SELECT 1; COMMIT": "COMMIT",
    "SELECT 1; -- and then\n COMMIT": "COMMIT",
    "/* a ' b */ COMMIT; --'": "COMMIT",
    "SELECT E'\\''; COMMIT; --'": "COMMIT",
    "SELECT \"a'b\"; COMMIT; --'": "COMMIT",
    "SELECT set_config('app.tenant_id', '5', true)": "SET_CONFIG",
    "SELECT pg_catalog.\"set_config\" ('app.tenant_id', '5', true)": "SET_CONFIG",
    "SELECT pg_terminate_backend(1)": "PG_TERMINATE_BACKEND",
    "?": "a statement without a word",
    "SELECT 1; COMMIT" + " " * 5000: "COMMIT",
}


@pytest.mark.parametrize("sql", MAY)
def test_rows_are_read_and_written(sql: str) -> None:
    check_statement(sql)


@pytest.mark.parametrize("sql", MAY_NOT)
def test_anything_else_is_refused_by_name(sql: str) -> None:
    with pytest.raises(Misuse) as refusal:
        check_statement(sql)
    assert str(refusal.value) == f"{MAY_NOT[sql]} inside a hook: it may read and write rows, no more"
