"""Bringing any county aboard by its code: search, plan, apply."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.console import policy
from xiangyue.features.console.pages import bp
from xiangyue.features.console.pages.common import console_page, words
from xiangyue.features.console.queries import counties as queries
from xiangyue.features.console.queries.profiles import grouped
from xiangyue.features.console.service.counties import apply_profile, plan_profile, profile_of_code
from xiangyue.i18n import _, pick
from xiangyue.tenancy.counties import all_counties, default_slug, find_county, search
from xiangyue.tenancy.provision import fingerprint
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash

FOUND = 30


@bp.get("/console/provision")
@requires(policy.OPERATOR_MANAGE)
def find_new() -> Any:
    asked = request.args.get("q", "").strip()
    found = search(asked, limit=FOUND)
    aboard = queries.aboard(current_uow(), [county.code6 for county in found])
    return console_page(
        "console/provision.html",
        q=asked,
        found=found,
        aboard=aboard,
        total=len(all_counties()),
        shown=FOUND,
    )


@bp.get("/console/provision/<code>")
@requires(policy.OPERATOR_MANAGE)
def plan_county(code: str) -> Any:
    return _plan_page(code, request.args.get("slug", ""))


@bp.post("/console/provision/<code>")
@requires(policy.OPERATOR_MANAGE)
def provision_county(code: str) -> Any:
    uow, slug = current_uow(), request.form.get("slug", "")
    try:
        profile = profile_of_code(uow, code=code, slug=slug)
        apply_profile(uow, runtime=runtime(), profile=profile, expected=request.form.get("plan"))
    except (Invalid, Conflict, Stale):
        return _plan_page(code, slug, changed=True)
    name = pick(profile.name, profile.name_en)
    flash(_("%(name)s is aboard. Invite its first administrator now.", name=name))
    return redirect(url_for("console.new_administrator", slug=profile.slug), 303)


def _plan_page(code: str, slug: str, *, changed: bool = False) -> Any:
    uow = current_uow()
    county = find_county(code)
    slug = slug.strip().lower() or default_slug(county)
    known = queries.county_of_code(uow, county.code6)
    changes, problem, errors = [], "", {}
    if known is None:
        try:
            profile = profile_of_code(uow, code=county.code6, slug=slug)
            changes = plan_profile(uow, runtime=runtime(), profile=profile)
        except Invalid as error:
            errors = error.fields
        except Conflict as error:
            problem = words(error)
    here = url_for("console.plan_county", code=county.code6)
    form = FormView(action=here, values={"slug": slug}, errors=errors, id="slug")
    if changed and not (errors or problem or known):
        problem = _("What you confirmed is no longer what would happen. Look at the new plan.")
    status = 422 if errors else 409 if problem or (known and changed) else 200
    return console_page(
        "console/plan_county.html",
        status,
        county=county,
        slug=slug,
        address=runtime().settings.address(f"{slug}.{runtime().settings.base_domain}"),
        known=known,
        groups=grouped(changes),
        count=len(changes),
        plan=fingerprint(changes),
        form=form,
        problem=problem,
    )
