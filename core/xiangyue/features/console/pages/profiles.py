"""County profiles on this server: the folders, what each would change, and applying it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from flask import redirect, request, url_for

from xiangyue.errors import Conflict, Stale
from xiangyue.features.console import policy
from xiangyue.features.console.pages import bp
from xiangyue.features.console.pages.common import console_page, words
from xiangyue.features.console.queries import counties as queries
from xiangyue.features.console.queries.profiles import (
    FOLDERS_SHOWN,
    Folder,
    folder_names,
    folders,
    get_folder,
    grouped,
)
from xiangyue.features.console.service.counties import apply_profile, plan_profile
from xiangyue.i18n import _, ngettext
from xiangyue.tenancy.profile import ProfileProblem
from xiangyue.tenancy.provision import fingerprint
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow, runtime
from xiangyue.web.shell import flash


def place(problem: ProfileProblem) -> str:
    """``hanyin/tenant.toml:12``: folder, file and line of a fault, wherever the profiles lie on this server."""
    file = "/".join(PurePath(problem.file).parts[-2:])
    return f"{file}:{problem.line}" if problem.line else file


@bp.get("/console/profiles")
@requires(policy.OPERATOR_MANAGE)
def list_profiles() -> Any:
    names = folder_names(runtime())
    start = max(0, request.args.get("from", 0, type=int))
    found = folders(runtime(), names[start : start + FOLDERS_SHOWN])
    slugs = [folder.profile.slug for folder in found if folder.profile is not None]
    return console_page(
        "console/profiles.html",
        folders=found,
        aboard=queries.slugs_aboard(current_uow(), slugs),
        total=len(names),
        start=start,
        next_start=start + FOLDERS_SHOWN if start + FOLDERS_SHOWN < len(names) else None,
        where=str(runtime().settings.profiles_dir),
        place=place,
    )


@bp.get("/console/profiles/<name>")
@requires(policy.OPERATOR_MANAGE)
def plan_folder(name: str) -> Any:
    return _plan_page(get_folder(runtime(), name))


@bp.post("/console/profiles/<name>")
@requires(policy.OPERATOR_MANAGE)
def apply_folder(name: str) -> Any:
    folder = get_folder(runtime(), name)
    if folder.profile is None:
        return _plan_page(folder)
    try:
        changes = apply_profile(
            current_uow(), runtime=runtime(), profile=folder.profile, expected=request.form.get("plan")
        )
    except (Conflict, Stale) as error:
        return _plan_page(folder, words(error))
    count = len(changes)
    flash(ngettext("Profile applied: %(n)d change.", "Profile applied: %(n)d changes.", count) if count else _same())
    return redirect(url_for("console.show_county", slug=folder.profile.slug), 303)


def _same() -> str:
    return _("The county is already what its profile says.")


def _plan_page(folder: Folder, problem: str = "") -> Any:
    uow, changes = current_uow(), []
    known = None
    if folder.profile is not None:
        known = queries.slugs_aboard(uow, [folder.profile.slug]).get(folder.profile.slug)
        try:
            changes = plan_profile(uow, runtime=runtime(), profile=folder.profile)
        except Conflict as error:
            problem = words(error)
    return console_page(
        "console/plan_profile.html",
        422 if folder.problems else 409 if problem else 200,
        folder=folder,
        known=known,
        groups=grouped(changes),
        count=len(changes),
        plan=fingerprint(changes),
        problem=problem,
        place=place,
    )
