"""Notices and forms of consent: the list, one with its versions side by side, drafts, and the notice board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from flask import redirect, request, url_for

from xiangyue.access.lawful import BASES, USUAL
from xiangyue.errors import Conflict, Invalid, Stale
from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import service_notice as service
from xiangyue.features.privacy import view_consent as view
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.queries_fields import field_lines
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext, pick
from xiangyue.web.access import public, requires
from xiangyue.web.components import FormView, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow
from xiangyue.web.shell import flash, page, without_problems


def _listing(**state: Any) -> ListView:
    return ListView(
        columns=view.COLUMNS,
        filters=view.filters(),
        args=request.args,
        path=url_for("privacy.list_notices"),
        export_url=url_for("privacy.export_notices"),
        **state,
    )


@bp.get("/privacy/notices")
@requires(policy.NOTICE_VIEW)
def list_notices() -> Any:
    uow, asked = current_uow(), _listing()
    if onward := without_problems(asked):
        return onward
    rows = queries.list_notices(uow, view.wanted(request.args))
    count = ngettext("%(n)d notice", "%(n)d notices", len(rows))
    shown = _listing(count=len(rows), count_text=count, shown=len(rows))
    return page(
        "privacy/notices.html",
        view=shown,
        rows=rows,
        policy=policy,
        bases=BASES,
        whom=dict(queries.whom_choices(uow)),
        may_manage=current_actor().can(policy.NOTICE_MANAGE),
    )


@bp.route("/privacy/notices/export", methods=["GET", "POST"])
@requires(policy.NOTICE_VIEW)
def export_notices() -> Any:
    uow, asked = current_uow(), _listing()
    whom = dict(queries.whom_choices(uow))

    def cells() -> Iterator[list[Any]]:
        for one in queries.list_notices(uow, view.wanted(request.args)):
            yield [_cell(one, column.key, whom) for column in asked.visible]

    return export_list(
        asked,
        title=_("Export notices"),
        of=_("Notices and consents"),
        back=asked.url(url_for("privacy.list_notices")),
        cells=cells,
        note=lambda taken: _note(taken),
    )


def _note(taken: Taken) -> None:
    service.note_notices_export(current_uow(), **asdict(taken))


def _cell(one: queries.NoticeView, column: str, whom: Mapping[str, Any]) -> Any:
    notice = one.notice
    shown = one.published or (one.versions[0] if one.versions else None)
    values: dict[str, Any] = {
        "title": pick(notice.title, notice.title_en),
        "kind": str(policy.KINDS_SHORT[notice.kind]),
        "state": str(policy.STATES[notice.state]),
        "number": shown.number if shown else None,
        "published": shown.published_on if shown else None,
        "basis": str(BASES.get(shown.lawful_basis, "")) if shown else "",
        "whom": str(whom.get(notice.whom, notice.whom)),
    }
    return values[column]


@bp.get("/privacy/notices/new")
@requires(policy.NOTICE_MANAGE)
def new_notice() -> Any:
    start = {"kind": policy.NOTICE, "whom": "all", "lawful_basis": USUAL}
    return _new(FormView(values=start, draft="notice-new"))


def _new(form: FormView, status: int = 200) -> Any:
    form = replace(form, action=url_for("privacy.add_notice"), cancel_url=url_for("privacy.list_notices"))
    return page("privacy/notice_form.html", status, form=form, view=None, draft=None, **_choices(current_uow()))


def _choices(uow: Any) -> dict[str, Any]:
    return {
        "policy": policy,
        "bases": BASES,
        "whom": queries.whom_choices(uow),
        "known": [str(line.label) for line in field_lines(uow)],
    }


@bp.post("/privacy/notices")
@requires(policy.NOTICE_MANAGE)
def add_notice() -> Any:
    typed = request.form
    try:
        notice = service.add_notice(current_uow(), values=typed)
    except Invalid as error:
        return _new(FormView(values=typed, errors=error.fields), 422)
    flash(_("Drafted. Read it again, then publish it."), "success")
    return redirect(url_for("privacy.show_notice", id=notice.id), 303)


@bp.get("/privacy/notices/<int:id>")
@requires(policy.NOTICE_VIEW)
def show_notice(id: int) -> Any:
    return _page(id)


def _page(id: int, status: int = 200, errors: Mapping[str, Any] | None = None) -> Any:
    uow = current_uow()
    found = queries.get_notice(uow, id)
    actor = current_actor()
    may_see = actor.can(policy.CONSENT_VIEW)
    return page(
        "privacy/notice.html",
        status,
        view=found,
        notice=found.notice,
        rows=WORDS_SHOWN,
        bases=BASES,
        policy=policy,
        whom=dict(queries.whom_choices(uow)),
        errors=errors or {},
        may_manage=actor.can(policy.NOTICE_MANAGE),
        may_see=may_see and found.notice.kind in policy.ASKING,
    )


#: What is compared side by side, in order.
WORDS_SHOWN: tuple[str, ...] = (
    "change_note", "title", "body", "title_en", "body_en", "purpose", "lawful_basis", "source", "fields", "retention",
    "handler", "consequence", "again",
)  # fmt: skip


@bp.get("/privacy/notices/<int:id>/draft")
@requires(policy.NOTICE_MANAGE)
def edit_notice(id: int) -> Any:
    """The draft, or a new one that begins with what stands."""
    found = queries.get_notice(current_uow(), id)
    source = found.draft or (found.versions[0] if found.versions else None)
    values = {name: getattr(source, name) for name in service.WORDS} if source is not None else {}
    values["fields"] = "\n".join(values.get("fields", []))
    if found.draft is None:
        values |= {"change_note": "", "again": False}
    return _draft_page(found, values)


def _draft_page(found: queries.NoticeView, values: Any, status: int = 200, errors: Any = None) -> Any:
    draft = found.draft
    form = FormView(
        values=values,
        errors=errors or {},
        version=draft.version if draft is not None else 0,
        draft=f"notice-{found.notice.id}",
        action=url_for("privacy.save_draft", id=found.notice.id),
        cancel_url=url_for("privacy.show_notice", id=found.notice.id),
    )
    return page("privacy/notice_form.html", status, form=form, view=found, draft=draft, **_choices(current_uow()))


@bp.post("/privacy/notices/<int:id>/draft")
@requires(policy.NOTICE_MANAGE)
def save_draft(id: int) -> Any:
    uow, typed = current_uow(), request.form
    try:
        service.edit_draft(uow, id=id, version=typed.get("version", 0, type=int), values=typed)
    except (Invalid, Stale) as error:
        uow.rollback()
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        return _draft_page(queries.get_notice(uow, id), typed, 422 if isinstance(error, Invalid) else 409, fields)
    flash(_("Saved"), "success")
    return redirect(url_for("privacy.show_notice", id=id), 303)


@bp.post("/privacy/notices/<int:id>/publish")
@requires(policy.NOTICE_MANAGE)
def publish_notice(id: int) -> Any:
    version = request.form.get("version", 0, type=int)
    return _act(
        id,
        lambda: service.publish_draft(current_uow(), id=id, version=version),
        _("Published. Its words stay as they are."),
    )


@bp.post("/privacy/notices/<int:id>/withdraw")
@requires(policy.NOTICE_MANAGE)
def withdraw_notice(id: int) -> Any:
    version = request.form.get("version", 0, type=int)
    return _act(id, lambda: service.withdraw_notice(current_uow(), id=id, version=version), _("Withdrawn"))


def _act(id: int, act: Any, said: str) -> Any:
    try:
        act()
    except (Invalid, Stale, Conflict) as error:
        current_uow().rollback()
        told = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        return _page(id, 422 if isinstance(error, Invalid) else 409, told)
    flash(said, "success")
    return redirect(url_for("privacy.show_notice", id=id), 303)


@bp.get("/notices/<int:id>")
@public
def board(id: int) -> Any:
    """For the village's notice board: what is published, for everybody, to read or print. It holds no person's data."""
    notice, version = queries.published_notice(current_uow(), id)
    return page("privacy/board.html", notice=notice, row=version, bases=BASES, policy=policy)
