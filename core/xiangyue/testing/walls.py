"""Takes one of the two tenancy walls away, to prove that the other holds alone (and that the test can fail)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from xiangyue.db import session as session_module
from xiangyue.db import sql as sql_module
from xiangyue.db.scope import Scope
from xiangyue.runtime import Runtime
from xiangyue.testing import statements


@contextmanager
def without_scope() -> Iterator[None]:
    """The second wall gone: no explicit tenant equality in ORM statements nor in scoped SQL. Areas stay."""
    real_criteria = session_module.scope_criteria
    real_expand = sql_module._expand

    def criteria(scope: Scope) -> list[Any]:
        return real_criteria(scope)[1:]

    def expand(sql: str, ranges: int | None) -> str:
        # Every parameter stays used, so the statement still binds.
        return real_expand(sql, ranges).replace(".tenant_id = :scope_tenant", ".tenant_id <> -1 - :scope_tenant")

    patch = pytest.MonkeyPatch()
    patch.setattr(session_module, "scope_criteria", criteria)
    patch.setattr(sql_module, "_expand", expand)
    try:
        with statements.paused():
            yield
    finally:
        patch.undo()


@contextmanager
def without_rls(runtime: Runtime) -> Iterator[Runtime]:
    """The first wall gone: a runtime that connects as the owning role, which bypasses row-level security."""
    open_runtime = Runtime(replace(runtime.settings, database_url=runtime.settings.migration_database_url))
    try:
        yield open_runtime
    finally:
        open_runtime.engine.dispose()
