"""The list of organisations, and the county's kinds and rules."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from sqlalchemy import select

from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names
from xiangyue.features.imports.policy import IMPORT_RUN
from xiangyue.features.organisations import policy, queries, view
from xiangyue.features.organisations.models import PostExclusion, PostKind
from xiangyue.features.organisations.pages import bp
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import ListView
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import page, without_problems

PAGE = 50


def list_view(**state: Any) -> ListView:
    """The list as its address says it."""
    args = switch.args_without_all()
    may = current_actor().can(policy.EXPORT)
    return ListView(
        columns=view.COLUMNS,
        filters=view.filters(current_uow()),
        args=args,
        path=url_for("organisations.list_organisations"),
        default_sort="area",
        page_size=PAGE,
        export_url=url_for("organisations.export") if may else None,
        **state,
    )


@bp.get("/organisations")
@requires(policy.VIEW)
def list_organisations() -> Any:
    uow = current_uow()
    area, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked = list_view()
    if onward := without_problems(asked):
        return onward
    wanted = view.wanted(request.args, area)
    found = queries.list_organisations(
        uow,
        wanted,
        sort=asked.order,
        limit=PAGE,
        after=asked.after,
        before=asked.before,
    )
    count = queries.count_organisations(uow, wanted)
    shown = list_view(
        count=count,
        count_text=ngettext("%(n)d organisation", "%(n)d organisations", count),
        shown=len(found.rows),
        next_cursor=found.next,
        back_cursor=found.back,
    )
    return page(
        "organisations/list.html",
        view=shown,
        rows=view.lines(uow, found.rows, wanted.on),
        show=view,
        policy=policy,
        on=wanted.on,
        may_edit=current_actor().can(policy.EDIT),
        may_import=current_actor().can(policy.EDIT) and current_actor().can(IMPORT_RUN),
        may_export=current_actor().can(policy.EXPORT),
        area_name=names(uow, [area]).get(area, "") if area else "",
        area_value=request.args.get("area", ""),
    )


@bp.get("/organisations/kinds")
@requires(policy.VIEW)
def list_kinds() -> Any:
    """Which kinds there are here, with their posts, terms and the rules they rest on; who may not sit where."""
    uow = current_uow()
    posts: dict[str, list[PostKind]] = {}
    for post in uow.session.scalars(select(PostKind).where(PostKind.active.is_(True)).order_by(PostKind.position)):
        posts.setdefault(post.kind_key, []).append(post)
    rules = list(
        uow.session.scalars(select(PostExclusion).where(PostExclusion.active.is_(True)).order_by(PostExclusion.id))
    )
    return page(
        "organisations/kinds.html",
        kinds=queries.kinds(uow),
        names=queries.kind_names(uow),
        posts=posts,
        rules=rules,
        policy=policy,
    )
