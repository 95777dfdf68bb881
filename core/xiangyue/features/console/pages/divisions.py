"""Towns and villages of a county from a file: upload, faults by line, plan, apply."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, redirect, request, url_for

from xiangyue.errors import Stale
from xiangyue.features.console import policy
from xiangyue.features.console.pages import bp
from xiangyue.features.console.pages.common import console_page, words
from xiangyue.features.console.queries import counties as queries
from xiangyue.features.console.queries.profiles import grouped
from xiangyue.features.console.service.counties import apply_divisions, plan_divisions
from xiangyue.files.names import content_disposition
from xiangyue.i18n import LOCALES, _, in_locale, ngettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.divisions import read_upload
from xiangyue.tenancy.models import Tenant
from xiangyue.tenancy.profile import ProfileProblem
from xiangyue.tenancy.profile_problems import ProfileErrors
from xiangyue.tenancy.profile_types import DivisionRow
from xiangyue.tenancy.provision import fingerprint
from xiangyue.web.access import requires
from xiangyue.web.components import FormView
from xiangyue.web.limits import limit_uploads
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash

#: A county has a few hundred divisions; the largest file known to us has 40 KB.
MOST_BYTES = 300_000
MOST_FAULTS = 100
#: Lines of the template, which are to be replaced.
_EXAMPLES = (_l("a town's name: replace this line"), _l("a village's name: replace this line"))


@bp.get("/console/counties/<slug>/divisions")
@requires(policy.OPERATOR_MANAGE)
def show_divisions(slug: str) -> Any:
    return _page(queries.get_county(current_uow(), slug))


@bp.get("/console/counties/<slug>/divisions/template.csv")
@requires(policy.OPERATOR_MANAGE)
def divisions_template(slug: str) -> Response:
    """An empty file with the columns and, as an example, what a town and its village look like in this county."""
    tenant = queries.get_county(current_uow(), slug)
    code = _code6(tenant)
    stream = io.StringIO(newline="")
    lines = csv.writer(stream)
    lines.writerow(("code", "name"))
    for number, example in zip(("100000", "100200"), _EXAMPLES, strict=True):
        lines.writerow((f"{code}{number}", str(example)))
    response = Response(stream.getvalue().encode("utf-8-sig"), mimetype="text/csv")
    response.headers["Content-Disposition"] = content_disposition(f"divisions-{code}.csv")
    return response


@bp.post("/console/counties/<slug>/divisions")
@requires(policy.OPERATOR_MANAGE)
def upload_divisions(slug: str) -> Any:
    """Read a file and show what it would change."""
    uow = current_uow()
    tenant = queries.get_county(uow, slug)
    given = request.files.get("file")
    if given is None or not given.filename:
        return _page(tenant, 422, errors={"file": [_("Choose the file.")]})
    limit_uploads(runtime(), uow.actor)
    raw = given.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        return _page(
            tenant, 422, errors={"file": [_("A file of divisions has at most %(kb)d KB.", kb=MOST_BYTES // 1000)]}
        )
    return _planned(tenant, raw, given.filename)


@bp.post("/console/counties/<slug>/divisions/apply")
@requires(policy.OPERATOR_MANAGE)
def take_divisions(slug: str) -> Any:
    """Apply the plan that was shown; the file's text came along with it."""
    uow = current_uow()
    tenant = queries.get_county(uow, slug)
    raw, name = request.form.get("text", "").encode(), request.form.get("name", "")[:200]
    rows, problems = _read(tenant, raw, name)
    if problems or not rows:
        return _planned(tenant, raw, name)
    try:
        changes = apply_divisions(
            uow, runtime=runtime(), slug=slug, rows=rows, file=name, expected=request.form.get("plan")
        )
    except Stale as error:
        return _planned(tenant, raw, name, words(error))
    count = len(changes)
    if count:
        flash(ngettext("Areas taken over: %(n)d change.", "Areas taken over: %(n)d changes.", count))
    else:
        flash(_("The county has these areas already."))
    return redirect(url_for("console.show_county", slug=slug), 303)


def _code6(tenant: Tenant) -> str:
    return f"{tenant.area_code // 10**9:06}"


def _read(tenant: Tenant, raw: bytes, name: str) -> tuple[list[DivisionRow], list[ProfileProblem]]:
    try:
        rows, problems = read_upload(raw, name, _code6(tenant))
    except ProfileErrors as error:
        return [], error.problems
    if not rows and not problems:
        problems = [ProfileProblem(name, 0, "", _("there is no town and no village in it"))]
    examples = set()
    for locale in LOCALES:
        with in_locale(locale):
            examples |= {str(example) for example in _EXAMPLES}
    for row in rows:
        if row.name in examples:
            said = _("%(name)s is the template's example", name=row.name)
            problems.append(ProfileProblem(name, 0, "name", said))
    return rows, sorted(set(problems))


def _planned(tenant: Tenant, raw: bytes, name: str, problem: str = "") -> Any:
    rows, problems = _read(tenant, raw, name)
    if problems:
        return _page(tenant, 422, problems=problems, name=name)
    changes = plan_divisions(current_uow(), runtime=runtime(), slug=tenant.slug, rows=rows)
    return console_page(
        "console/plan_divisions.html",
        409 if problem else 200,
        tenant=tenant,
        name=name,
        groups=grouped(changes),
        count=len(changes),
        plan=fingerprint(changes),
        text=raw.decode("utf-8-sig"),
        problem=problem,
        towns=sum(row.level == "town" for row in rows),
        villages=sum(row.level == "village" for row in rows),
    )


def _page(
    tenant: Tenant,
    status: int = 200,
    *,
    errors: dict[str, list[Any]] | None = None,
    problems: list[ProfileProblem] | None = None,
    name: str = "",
) -> Any:
    form = FormView(
        action=url_for("console.upload_divisions", slug=tenant.slug),
        errors=errors or {},
        multipart=True,
        id="divisions",
        cancel_url=url_for("console.show_county", slug=tenant.slug),
    )
    found = problems or []
    return console_page(
        "console/divisions.html",
        status,
        tenant=tenant,
        form=form,
        problems=found[:MOST_FAULTS],
        more=max(0, len(found) - MOST_FAULTS),
        count=len(found),
        name=name,
        place=_place,
    )


def _place(problem: ProfileProblem) -> str:
    return _("line %(line)d", line=problem.line) if problem.line else _("the file")
