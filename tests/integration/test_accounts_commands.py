"""``xiangyue account``, ``role`` and ``token``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from accounts_kit import YANPING, fresh
from click.testing import CliRunner, Result

from xiangyue.errors import XiangyueError
from xiangyue.features.accounts.commands import account, role, token
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County


def run(runtime: Runtime, command: object, *arguments: str) -> Result:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    return CliRunner().invoke(command, arguments, obj=opened)  # type: ignore[arg-type]


def test_a_token_is_printed_alone_and_works(hanyin: County) -> None:
    owner = hanyin.account("county_admin", login="cli-admin")
    made = run(hanyin.runtime, token, "create", "--tenant", "hanyin", "--account", "CLI-admin")
    assert made.exit_code == 0, made.output
    printed = made.stdout.strip()
    assert made.stdout == printed + "\n"
    headers = {"Authorization": f"Bearer {printed}"}
    assert hanyin.client().get("/api/v1/me", headers=headers).get_json()["login"] == owner.login
    limited = run(
        hanyin.runtime,
        token,
        *("create", "--tenant", "hanyin", "--account", "cli-admin", "--scopes", "area.view,account.view"),
    )
    headers = {"Authorization": f"Bearer {limited.stdout.strip()}"}
    scopes = hanyin.client().get("/api/v1/me", headers=headers).get_json()["token_scopes"]
    assert scopes == ["account.view", "area.view"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tenant", "nowhere", "--account", "a"), "nowhere"),
        (("--tenant", "hanyin", "--account", "nobody"), "nobody"),
        (("--tenant", "hanyin", "--account", "cli-two", "--scopes", "role.fly"), "role.fly"),
        (("--tenant", "hanyin", "--account", "cli-two", "--days", "400"), "365"),
    ],
)
def test_what_is_wrong_is_named(hanyin: County, arguments: tuple[str, ...], message: str) -> None:
    if "cli-two" in arguments:
        hanyin.account("county_admin", login="cli-two" if "--days" in arguments else "cli-one")
        arguments = tuple("cli-one" if a == "cli-two" and "--days" not in arguments else a for a in arguments)
    result = run(hanyin.runtime, token, "create", *arguments)
    assert isinstance(result.exception, XiangyueError)
    assert message in str(result.exception)
    assert result.stdout == ""


def test_an_account_comes_aboard_by_link(tongyu: County) -> None:
    made = run(
        tongyu.runtime,
        account,
        *("create", "--tenant", "tongyu", "--login", "first", "--name", "首任", "--role", "county_admin"),
    )
    assert made.exit_code == 0, made.output
    address = made.stdout.strip()
    assert address.startswith(f"http://{tongyu.host}:8000/link/xyl_")
    assert tongyu.client().get("/link/" + address.rsplit("/", 1)[1]).status_code == 200
    again = run(tongyu.runtime, account, "link", "--tenant", "tongyu", "first")
    assert again.stdout.strip() != address
    listed = run(tongyu.runtime, account, "list", "--tenant", "tongyu").stdout.splitlines()
    assert f"first\tinvited\t首任\tcounty_admin@{tongyu.info.area_code}" in listed


def test_disabling_ends_what_was_open(hanyin: County) -> None:
    person = hanyin.account("village", area=YANPING)
    client = hanyin.client(person)
    result = run(hanyin.runtime, account, "disable", "--tenant", "hanyin", person.login)
    assert result.exit_code == 0
    assert fresh(hanyin, person).state == "disabled"
    assert client.get("/me").status_code == 303


def test_the_operator_is_a_tenant_like_the_others(operator: County) -> None:
    roles = run(operator.runtime, role, "list", "--tenant", "operator").stdout
    assert "operator_admin\t" in roles
    assert "operator.manage" in roles
    made = run(
        operator.runtime,
        account,
        *("create", "--tenant", "operator", "--login", "boss", "--name", "运营", "--role", "operator_admin"),
    )
    assert made.stdout.startswith(f"http://{operator.host}:8000/link/")
