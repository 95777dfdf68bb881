"""What the console's pages share: the shell with the operator's search, numbers of counties, words of errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for

from xiangyue.errors import Invalid, XiangyueError
from xiangyue.features.console import policy
from xiangyue.features.console.queries.usage import Usage, readable_size, table_sizes, usage_of
from xiangyue.i18n import N_
from xiangyue.tenancy.cross import each_tenant
from xiangyue.tenancy.directory import info_of
from xiangyue.tenancy.models import Tenant
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import page
from xiangyue.web.templating import marked

COUNTIES_READ = N_("numbers of counties for the console")


def console_page(template: str, /, status: int = 200, **context: Any) -> Any:
    """Render a page of the console; the search of the top bar looks for counties."""
    return page(
        template,
        status,
        urls={"search": url_for("console.list_counties")},
        policy=policy,
        size=readable_size,
        marked=marked,
        may_manage=current_actor().can(policy.OPERATOR_MANAGE),
        **context,
    )


def numbers_of(tenants: Sequence[Tenant], reason: str = COUNTIES_READ) -> dict[int, Usage]:
    """Each county's numbers by its id: one visit each, told in the operator's trail."""
    uow = current_uow()
    sizes = table_sizes(uow)
    infos = [info_of(tenant) for tenant in tenants]
    with each_tenant(runtime(), reason=reason, actor=uow.actor, info=uow.info, tenants=infos) as visits:
        return {county.id: usage_of(inside, sizes) for county, inside in visits}


def words(error: XiangyueError) -> str:
    """What an error says to people, without field names."""
    if isinstance(error, Invalid) and not error.message:
        return " ".join(str(text) for texts in error.fields.values() for text in texts)
    return str(error.message)
