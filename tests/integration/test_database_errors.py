"""What PostgreSQL refuses reaches people as a clear answer, also from statements that go straight to the driver."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from xiangyue.db.sql import scoped_rows
from xiangyue.i18n import in_locale
from xiangyue.testing.fixtures import County


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_statement_that_takes_too_long_is_no_fault_of_ours(app: Any, hanyin: County, wrapped: bool) -> None:
    with hanyin.uow() as uow:
        scoped_rows(uow.session, "SELECT set_config('statement_timeout', '20', true) FROM area a WHERE {tenant:a}")
        with pytest.raises(psycopg.errors.QueryCanceled) as stopped:
            scoped_rows(uow.session, "SELECT pg_sleep(5) FROM area a WHERE {tenant:a} LIMIT 1")
        uow.rollback()
    error = OperationalError("SELECT 1", {}, stopped.value) if wrapped else stopped.value
    with app.test_request_context("/api/v1/cockpit"), in_locale("zh"):
        answer = app.handle_user_exception(error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["detail"] == "用时过长，已停止。数据没有改动，请稍后再试。"
