"""``xiangyue account``, ``xiangyue role`` and ``xiangyue token``. Only what is asked for goes to standard output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import select

from xiangyue.access.models import Account
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.queries.accounts import AccountFilter, Order, find_accounts
from xiangyue.features.accounts.queries.roles import all_roles
from xiangyue.features.accounts.roles import ensure_operator_roles
from xiangyue.features.accounts.service import accounts as service
from xiangyue.features.accounts.service.own import create_token_for
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import Runtime
from xiangyue.tenancy import operator
from xiangyue.tenancy.directory import TenantInfo

Opened = tuple[Runtime, TenantInfo, Uow]


@contextmanager
def _opened(ctx: click.Context, slug: str) -> Iterator[Opened]:
    """The tenant and a unit of work as the system; the operator's tenant is made on first use."""
    with ctx.obj() as runtime:
        if slug == operator.SLUG:
            ensure_operator_roles(runtime)
        tenant = runtime.directory.by_slug(slug)
        if tenant is None:
            raise NotFound(_l("There is no county “%(slug)s”. `xiangyue tenant list` names those aboard.", slug=slug))
        with runtime.uow(tenant.id) as uow:
            yield runtime, tenant, uow


def _account(uow: Uow, login: str) -> Account:
    statement = select(Account).where(Account.login == policy.clean_login(login))
    found = uow.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound(_l("There is no account “%(login)s” in this county.", login=login))
    return found


def _address(runtime: Runtime, tenant: TenantInfo, token: str) -> str:
    base = runtime.settings.base_domain
    host = base if tenant.is_operator else f"{tenant.slug}.{base}"
    return f"{runtime.settings.address(host)}/link/{token}"


def _tenant_option(command: Any) -> Any:
    return click.option("--tenant", "slug", required=True, metavar="SLUG", help="County, or operator.")(command)


@click.group()
def account() -> None:
    """Accounts: create, link, list, disable."""


@account.command()
@_tenant_option
@click.option("--login", required=True, help="Sign-in name.")
@click.option("--name", required=True, help="The person's name.")
@click.option("--post", default="", help="What the person is.")
@click.option("--role", required=True, help="Key of the first role; `xiangyue role list` names them.")
@click.option("--area", default=0, type=int, help="15-digit area code; the whole county when missing.")
@click.pass_context
def create(ctx: click.Context, slug: str, login: str, name: str, post: str, role: str, area: int) -> None:
    """Make an account and print its one-time link, good for 72 hours."""
    with _opened(ctx, slug) as (runtime, tenant, uow):
        _, token = service.create_account(
            uow,
            login=login,
            name=name,
            post=post,
            role=role,
            area_code=area,
            permissions=runtime.registry.permissions,
        )
        link = _address(runtime, tenant, token)
    click.echo(link)


@account.command()
@_tenant_option
@click.argument("login")
@click.pass_context
def link(ctx: click.Context, slug: str, login: str) -> None:
    """Print a new one-time link with which LOGIN's owner sets a password."""
    with _opened(ctx, slug) as (runtime, tenant, uow):
        _, token = service.make_link(uow, account_id=_account(uow, login).id)
        address = _address(runtime, tenant, token)
    click.echo(address)


@account.command("list")
@_tenant_option
@click.pass_context
def list_accounts(ctx: click.Context, slug: str) -> None:
    """All accounts: login, state, name, role@area …"""
    with _opened(ctx, slug) as (_runtime, _tenant, uow):
        cursor: str | None = None
        while True:
            found = find_accounts(uow, AccountFilter(), Order("login", after=cursor, limit=200))
            for row in found.rows:
                held = " ".join(f"{g.role_key}@{g.area.code}" for g in row.grants)
                click.echo(f"{row.account.login}\t{row.state}\t{row.account.name}\t{held}")
            cursor = found.next
            if cursor is None:
                break


@account.command()
@_tenant_option
@click.argument("login")
@click.pass_context
def disable(ctx: click.Context, slug: str, login: str) -> None:
    """Disable LOGIN and end its sessions at once."""
    with _opened(ctx, slug) as (_runtime, _tenant, uow):
        service.set_state(uow, account_id=_account(uow, login).id, state=policy.DISABLED)
    click.echo(f"{login} is disabled")


@click.group()
def token() -> None:
    """Personal access tokens for the API."""


@token.command("create")
@_tenant_option
@click.option("--account", "login", required=True, help="Whose token it is (sign-in name).")
@click.option("--scopes", default="*", help="Comma-separated rights; all of the account's when missing.")
@click.option("--days", default=30, show_default=True, type=int, help="How long it works, at most 365.")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.pass_context
def create_token(ctx: click.Context, slug: str, login: str, scopes: str, days: int, name: str) -> None:
    """Make a token and print it, alone, on standard output."""
    with _opened(ctx, slug) as (_runtime, _tenant, uow):
        wanted = [s.strip() for s in scopes.split(",") if s.strip()]
        owner = _account(uow, login)
        _, made = create_token_for(uow, account_id=owner.id, name=name, scopes=wanted, days=days)
    click.echo(made)


@click.group()
def role() -> None:
    """Roles of a county."""


@role.command("list")
@_tenant_option
@click.pass_context
def list_roles(ctx: click.Context, slug: str) -> None:
    """All roles: key, name, number of accounts, rights."""
    with _opened(ctx, slug) as (_runtime, _tenant, uow):
        for row in all_roles(uow):
            rights = " ".join(sorted(row.role.permissions))
            click.echo(f"{row.role.key}\t{row.role.name}\t{row.accounts}\t{rights}")


COMMANDS = (account, role, token)
