"""The list of counties, one county, and stopping and resuming it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.actor import system_words
from xiangyue.access.models import Account
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.console import policy
from xiangyue.features.console.pages import bp
from xiangyue.features.console.pages.common import console_page, numbers_of, words
from xiangyue.features.console.queries import counties as queries
from xiangyue.features.console.queries.usage import (
    Usage,
    administrators_of,
    operator_acts,
    owing_jobs,
    table_sizes,
    usage_of,
)
from xiangyue.features.console.schemas import PAGE_SIZE
from xiangyue.features.console.service.counties import resume_county, suspend_county
from xiangyue.features.plugins.queries import county_plugins
from xiangyue.i18n import N_, _, ngettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.models import TenantPlugin
from xiangyue.tenancy.counties import all_counties
from xiangyue.tenancy.cross import each_tenant
from xiangyue.tenancy.directory import info_of
from xiangyue.tenancy.models import Tenant
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, FormView, ListView, TimelineItem
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash, without_problems

COUNTY_READ = N_("numbers, jobs and administrators of a county for the console")

COLUMNS = (
    Column("name", _l("County"), sort=True, primary=True),
    Column("code", _l("Code"), sort=True),
    Column("state", _l("State"), sort=True),
    Column("households", _l("Households"), numeric=True),
    Column("persons", _l("People"), numeric=True),
    Column("accounts", _l("Accounts"), numeric=True),
    Column("database", _l("Database, estimated"), numeric=True),
    Column("files", _l("Files"), numeric=True),
    Column("jobs", _l("Jobs")),
    Column("last_sign_in", _l("Last sign-in")),
    Column("plugins", _l("Plugins of its profile"), default=False),
    Column("created_at", _l("Aboard since"), sort=True, default=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A county of the list."""

    tenant: Tenant
    hosts: list[str]
    usage: Usage

    @property
    def id(self) -> int:
        return self.tenant.id


def _filters() -> tuple[Filter, ...]:
    provinces = sorted({(c.code6[:2], c.province) for c in all_counties()})
    plugins = [(name, installed.label) for name, installed in sorted(runtime().registry.installed.items())]
    return (
        Filter("q", _l("County"), kind="text", placeholder=_l("Name, pinyin or code")),
        Filter("state", _l("State"), choices=list(policy.STATES.items())),
        Filter("province", _l("Province"), choices=provinces, data=True, open=True),
        *([Filter("plugin", _l("Plugin of its profile"), choices=plugins, more=True)] if plugins else []),
    )


@bp.get("/console")
@requires(policy.OPERATOR_VIEW)
def show_console() -> Any:
    """The console opens with its counties."""
    return redirect(url_for("console.list_counties"))


def listing(**state: Any) -> ListView:
    """The list as its address says it."""
    path, export_url = url_for("console.list_counties"), url_for("console.export_counties")
    return ListView(COLUMNS, request.args, path, _filters(), default_sort="name", export_url=export_url, **state)


def found_of(asked: ListView, *, limit: int = PAGE_SIZE, after: str | None, before: str | None = None) -> queries.Page:
    """A page of the counties that the list asks for. Raises Invalid, see `find_counties`."""
    key, descending = asked.sort
    wanted = queries.CountyFilter(
        q=asked.value("q"),
        state=asked.value("state"),
        province=asked.value("province"),
        plugin=asked.value("plugin"),
    )
    order = queries.Order(key, descending, after=after, before=before, limit=limit)
    return queries.find_counties(current_uow(), wanted, order)


def rows_of(tenants: Sequence[Tenant]) -> list[Row]:
    """Counties with their numbers; that somebody looked is told in the operator's trail."""
    numbers = numbers_of(tenants)
    hosts = queries.hosts_of(current_uow(), tenants, runtime().settings)
    return [Row(tenant, hosts[tenant.id], numbers[tenant.id]) for tenant in tenants]


@bp.get("/console/counties")
@requires(policy.OPERATOR_VIEW)
def list_counties() -> Any:
    asked = listing()
    if onward := without_problems(asked):
        return onward
    found = found_of(asked, after=asked.after, before=asked.before)
    view = listing(
        count=found.count,
        count_text=ngettext("%(n)d county", "%(n)d counties", found.count),
        next_cursor=found.next,
        back_cursor=found.back,
        page_size=PAGE_SIZE,
    )
    return console_page("console/counties.html", view=view, rows=rows_of(found.rows))


@dataclass(frozen=True, slots=True)
class Inside:
    """What a visit of one county found."""

    usage: Usage
    jobs: list[Job]
    administrators: list[Account]
    plugins: list[TenantPlugin]


def look_inside(tenant: Tenant) -> Inside:
    """Visit one county; told in the operator's trail."""
    uow = current_uow()
    sizes = table_sizes(uow)
    with each_tenant(
        runtime(), reason=COUNTY_READ, actor=uow.actor, info=uow.info, tenants=[info_of(tenant)]
    ) as visits:
        (found,) = [
            Inside(
                usage_of(inside, sizes), owing_jobs(inside), administrators_of(inside, tenant), county_plugins(inside)
            )
            for _county, inside in visits
        ]
    return found


@bp.get("/console/counties/<slug>")
@requires(policy.OPERATOR_VIEW)
def show_county(slug: str) -> Any:
    return county_page(slug)


def county_page(slug: str, status: int = 200, form: FormView | None = None, problem: str = "") -> Any:
    """One county; ``form`` is the suspension that came back, ``problem`` why an act was refused."""
    uow = current_uow()
    tenant = queries.get_county(uow, slug)
    settings = runtime().settings
    hosts = queries.hosts_of(uow, [tenant], settings)[tenant.id]
    if form is None:
        form = FormView(id="suspend")
    form = FormView(
        action=url_for("console.suspend", slug=slug),
        values=form.values,
        errors=form.errors,
        version=tenant.version,
        id="suspend",
    )
    return console_page(
        "console/county.html",
        status,
        tenant=tenant,
        addresses=[settings.address(host) for host in hosts],
        inside=look_inside(tenant),
        acts=[_told(entry) for entry in operator_acts(uow, tenant)],
        job_kinds=runtime().registry.jobs,
        installed=runtime().registry.installed,
        form=form,
        problem=problem,
    )


def _told(entry: Any) -> TimelineItem:
    actions = runtime().registry.actions
    changes = (entry.after or {}).get("changes")
    words = system_words(entry.actor_name) if entry.account_id is None else None
    meta = [words or entry.actor_name]
    if changes:
        meta.append(ngettext("%(n)d change", "%(n)d changes", changes))
    if login := (entry.after or {}).get("login"):
        meta.append(login)
    return TimelineItem(head=actions.get(entry.action, entry.action), text=entry.purpose, meta=meta, when=entry.at)


@bp.post("/console/counties/<slug>/suspend")
@requires(policy.OPERATOR_MANAGE)
def suspend(slug: str) -> Any:
    reason = request.form.get("reason", "")
    try:
        suspend_county(
            current_uow(), runtime=runtime(), slug=slug, reason=reason, version=request.form.get("version", type=int)
        )
    except Invalid as error:
        return county_page(slug, 422, FormView(values={"reason": reason}, errors=error.fields))
    except (Stale, Conflict) as error:
        return county_page(slug, 409, FormView(values={"reason": reason}), problem=words(error))
    flash(_("The county is suspended. Its people read the reason at their next click."))
    return redirect(url_for("console.show_county", slug=slug), 303)


@bp.post("/console/counties/<slug>/resume")
@requires(policy.OPERATOR_MANAGE)
def resume(slug: str) -> Any:
    try:
        resume_county(current_uow(), runtime=runtime(), slug=slug, version=request.form.get("version", type=int))
    except (Stale, Conflict) as error:
        return county_page(slug, 409, problem=words(error))
    flash(_("The county goes on."))
    return redirect(url_for("console.show_county", slug=slug), 303)
