"""The operator's API: counties with their numbers, bringing one aboard, suspending and resuming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response, jsonify

from xiangyue.api.lists import chosen_fields, list_response, required_version, set_etag, takes_version
from xiangyue.api.setup import ApiBlueprint
from xiangyue.errors import PreconditionFailed, Stale
from xiangyue.features.console import policy
from xiangyue.features.console.queries import counties as queries
from xiangyue.features.console.queries.usage import Usage, table_sizes, usage_of
from xiangyue.features.console.schemas import (
    CountyArgs,
    CountyListSchema,
    CountySchema,
    DivisionsSchema,
    InvitationSchema,
    InviteSchema,
    PlanSchema,
    ProvisionSchema,
    SuspendSchema,
)
from xiangyue.features.console.service.administrators import invite_administrator
from xiangyue.features.console.service.counties import (
    apply_divisions,
    apply_profile,
    plan_divisions,
    plan_profile,
    profile_of_code,
    resume_county,
    suspend_county,
)
from xiangyue.i18n import N_
from xiangyue.tenancy.cross import each_tenant
from xiangyue.tenancy.directory import info_of
from xiangyue.tenancy.divisions import read_upload
from xiangyue.tenancy.models import Tenant
from xiangyue.tenancy.profile_problems import ProfileErrors
from xiangyue.web.access import requires
from xiangyue.web.limits import limit_uploads
from xiangyue.web.pipeline import current_uow, runtime

api = ApiBlueprint(
    "operator", __name__, url_prefix="/operator", description="Counties of this deployment; on the base domain only"
)

COUNTIES_READ = N_("numbers of counties for the operator's API")
FIELDS = tuple(CountySchema().fields)


def _answers(tenants: list[Tenant]) -> list[dict[str, Any]]:
    uow = current_uow()
    sizes = table_sizes(uow)
    hosts = queries.hosts_of(uow, tenants, runtime().settings)
    infos = [info_of(tenant) for tenant in tenants]
    with each_tenant(runtime(), reason=COUNTIES_READ, actor=uow.actor, info=uow.info, tenants=infos) as visits:
        numbers = {county.id: usage_of(inside, sizes) for county, inside in visits}
    return [_answer(tenant, hosts[tenant.id], numbers[tenant.id]) for tenant in tenants]


def _answer(tenant: Tenant, hosts: list[str], usage: Usage) -> dict[str, Any]:
    plugins: Mapping[str, Any] = (tenant.profile or {}).get("plugins") or {}
    return {
        "slug": tenant.slug,
        "name": tenant.name,
        "name_en": tenant.name_en,
        "code": f"{tenant.area_code // 10**9:06}",
        "state": tenant.state,
        "suspended_reason": tenant.suspended_reason,
        "hosts": hosts,
        "plugins": {name: bool(plugin.get("enabled")) for name, plugin in plugins.items()},
        "created_at": tenant.created_at.isoformat(),
        "version": tenant.version,
        "usage": asdict(usage),
    }


@api.get("/counties")
@api.arguments(CountyArgs, location="query")
@api.response(200, CountyListSchema, description="A page of counties")
@requires(policy.OPERATOR_VIEW)
def list_counties(args: dict[str, Any]) -> Response:
    """Counties with their numbers; sort by name, code, state or created_at."""
    asked = args["sort"] or "name"
    found = queries.find_counties(
        current_uow(),
        queries.CountyFilter(args["q"], args["state"], args["province"], args["plugin"]),
        queries.Order(asked.removeprefix("-"), asked.startswith("-"), after=args["cursor"], limit=args["limit"]),
    )
    wanted = chosen_fields(args["fields_"], FIELDS)
    items = [{key: row[key] for key in wanted} for row in _answers(found.rows)]
    return list_response(items, found.next)


def _one(slug: str, status: int = 200) -> Response:
    tenant = queries.get_county(current_uow(), slug)
    response: Response = jsonify(_answers([tenant])[0])
    response.status_code = status
    return set_etag(response, tenant.version)


@api.get("/counties/<slug>")
@api.response(200, CountySchema, description="The county")
@requires(policy.OPERATOR_VIEW)
def get_county(slug: str) -> Response:
    """One county with its numbers; its ETag is for suspend and resume."""
    return _one(slug)


@api.post("/counties")
@api.arguments(ProvisionSchema)
@api.response(201, PlanSchema, description="The county is aboard")
@api.alt_response(200, schema=PlanSchema, description="The plan (dry_run)")
@requires(policy.OPERATOR_MANAGE)
def provision_county(body: dict[str, Any]) -> Response:
    """Bring any county of the country aboard by its code, or see what that would make."""
    uow = current_uow()
    profile = profile_of_code(uow, code=body["code"], slug=body["slug"])
    if body["dry_run"]:
        changes = plan_profile(uow, runtime=runtime(), profile=profile)
    else:
        changes = apply_profile(uow, runtime=runtime(), profile=profile)
    answer = {"slug": profile.slug, "applied": not body["dry_run"], "changes": [asdict(c) for c in changes]}
    response: Response = jsonify(answer)
    response.status_code = 200 if body["dry_run"] else 201
    return response


@api.post("/counties/<slug>/divisions")
@api.arguments(DivisionsSchema, location="multipart")
@api.response(200, PlanSchema, description="What was changed, or would be (dry_run)")
@requires(policy.OPERATOR_MANAGE)
def upload_divisions(values: dict[str, Any], slug: str) -> dict[str, Any]:
    """Give a county its towns and villages from a CSV file. What is not in the file stays; a second time changes
    nothing. Faults of the file are told by line."""
    uow = current_uow()
    limit_uploads(runtime(), uow.actor)
    tenant = queries.get_county(uow, slug)
    name = values["file"].filename or "divisions.csv"
    rows, problems = read_upload(values["file"].stream.read(), name, f"{tenant.area_code // 10**9:06}")
    if problems:
        raise ProfileErrors(problems)
    if values["dry_run"]:
        changes = plan_divisions(uow, runtime=runtime(), slug=slug, rows=rows)
    else:
        changes = apply_divisions(uow, runtime=runtime(), slug=slug, rows=rows, file=name)
    return {"slug": slug, "applied": not values["dry_run"], "changes": [asdict(c) for c in changes]}


@api.post("/counties/<slug>/suspend")
@api.arguments(SuspendSchema)
@api.response(200, CountySchema, description="The county")
@requires(policy.OPERATOR_MANAGE)
@takes_version
def suspend(body: dict[str, Any], slug: str) -> Response:
    """Stop a county's pages, API and jobs at once. Needs If-Match."""
    version = required_version()
    try:
        suspend_county(current_uow(), runtime=runtime(), slug=slug, reason=body["reason"], version=version)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(slug)


@api.post("/counties/<slug>/resume")
@api.response(200, CountySchema, description="The county")
@requires(policy.OPERATOR_MANAGE)
@takes_version
def resume(slug: str) -> Response:
    """Let a suspended county go on. Needs If-Match."""
    version = required_version()
    try:
        resume_county(current_uow(), runtime=runtime(), slug=slug, version=version)
    except Stale as error:
        raise PreconditionFailed(error.message, theirs=error.theirs) from None
    return _one(slug)


@api.post("/counties/<slug>/administrators")
@api.arguments(InviteSchema)
@api.response(201, InvitationSchema)
@requires(policy.OPERATOR_MANAGE)
def invite(body: dict[str, Any], slug: str) -> Any:
    """Make the county's first administrator; the one-time link in the answer works for 72 hours."""
    return invite_administrator(current_uow(), runtime=runtime(), slug=slug, **body)
