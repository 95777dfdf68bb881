"""What the tests of accounts share: forms sent as a browser sends them, and reading the trail."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from xiangyue.access.models import Account, AuditEntry
from xiangyue.testing.fixtures import County

XUANWO = 610921107000000  # 漩涡镇
YANPING = 610921107202000  # 堰坪村 in it
CHENGGUAN = 610921100000000  # 城关镇, another town


def csrf(client: FlaskClient, path: str = "/sign-in") -> str:
    """The token of a page's forms."""
    page = client.get(path, follow_redirects=True).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="(\w+)"', page)
    assert found is not None, page[:500]
    return found.group(1)


def send(client: FlaskClient, path: str, data: dict[str, Any] | None = None, *, on: str | None = None) -> Any:
    """POST a form with the token of the page ``on`` (the same path when missing)."""
    return client.post(path, data={"csrf_token": csrf(client, on or path), **(data or {})})


def sign_in(client: FlaskClient, login: str, password: str, **more: str) -> Any:
    return send(client, "/sign-in", {"login": login, "password": password, **more})


def actions(county: County, account_id: int | None) -> list[str]:
    """Actions recorded about an account, in order."""
    with county.uow() as uow:
        return list(
            uow.session.scalars(
                select(AuditEntry.action)
                .where(AuditEntry.object_type == "account", AuditEntry.object_id == account_id)
                .order_by(AuditEntry.id)
            )
        )


def fresh(county: County, account: Account) -> Account:
    """The account as it stands now."""
    with county.uow() as uow:
        return uow.get(Account, account.id)
