"""A county with the plugin on, a household in it, and calls of the core's API as somebody with every right."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import xlsxwriter
from flask.testing import FlaskClient
from sqlalchemy import select

from xiangyue.sdk.i18n import today
from xiangyue.sdk.testing import County, Kit
from xiangyue_errands import service
from xiangyue_errands.models import Errand


@dataclass
class Home:
    """A household of the kit's, and what tests do with it."""

    kit: Kit
    id: int
    head: str
    client: FlaskClient
    call: Callable[..., Any]

    @property
    def county(self) -> County:
        return self.kit.on

    def errand(self, title: str = "Fetch the card", *, days: int = 7, kind: str = "other") -> int:
        """Take an errand on, due in so many days; its id."""
        due_on = today() + timedelta(days=days)
        with self.county.uow() as uow:
            made = service.open_errand(uow, household_id=self.id, kind=kind, title=title, due_on=due_on)
            uow.session.flush()
            return made.id

    def errands(self) -> list[Errand]:
        with self.county.uow() as uow:
            return list(uow.session.scalars(select(Errand).where(Errand.household_id == self.id).order_by(Errand.id)))

    def page(self, path: str) -> str:
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.get_data(as_text=True))


@pytest.fixture
def home(kit: Kit, request: pytest.FixtureRequest) -> Home:
    """A household of its own for each test, in the second county of the kit nothing."""
    laid = kit.lay(request.node.name, kit.on, rows=1, village=4)
    rights = sorted(kit.on.runtime.registry.permissions.names("county"))
    account = kit.on.account_with(*rights, locale="en")
    headers, bare = kit.on.bearer(account), kit.on.client()

    def call(method: str, path: str, body: Any = None, *, version: int | str = "*", **options: Any) -> Any:
        """A call of the API, and the jobs that follow it; its answer. ``version``: any, when it does not matter."""
        match = {} if method == "GET" else {"If-Match": str(version)}
        given = options if body is None else {"json": body}
        answer = bare.open(f"/api/v1{path}", method=method, headers={**headers, **match}, **given)
        kit.on.run_jobs()
        return answer

    found = Home(kit, laid.households[0], laid.names[0], kit.on.client(account), call)
    with kit.on.uow() as uow:  # the kit's own sample is in the way here
        for errand in uow.session.scalars(select(Errand).where(Errand.household_id == found.id)):
            uow.session.delete(errand)
    return found


def roster(number: int, wish: str) -> dict[str, Any]:
    """A roster of one household with a wish, as a form of the API."""
    row = {
        "镇": "城关镇", "村": "东南村", "组": "一组", "户编号": f"{number:04}", "与户主关系": "户主", "姓名": "王富",
        "性别": "男", "出生日期": "1980-01-01", "住址": "一组", "外出": "否", "代办事项": wish,
    }  # fmt: skip
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(row))
        sheet.write_row(1, 0, list(row.values()))
    stream.seek(0)
    return {"file": (stream, "roster.xlsx"), "source": "村级台账", "purpose": "建立户档"}
