"""What people said: those who are still to be asked, and one person's consents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from flask import Response, redirect, request, url_for

from xiangyue.access.permissions import lacking
from xiangyue.access.sensitive import needs_purpose
from xiangyue.errors import Conflict, Invalid, Refused, Stale
from xiangyue.features.areas import switch
from xiangyue.features.areas.queries import names, places
from xiangyue.features.households.models import Person
from xiangyue.features.households.pages.common import may
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, HOUSEHOLD_EXPORT, SENSITIVE_VIEW
from xiangyue.features.households.service_persons import edit_person
from xiangyue.features.privacy import policy_consent as policy
from xiangyue.features.privacy import queries_consent as queries
from xiangyue.features.privacy import service_consent as service
from xiangyue.features.privacy import view_consent as view
from xiangyue.features.privacy.access_log import Ids
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.policy_care import CARE_EDIT
from xiangyue.features.privacy.queries_care import care_of
from xiangyue.files.names import content_disposition
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.web.access import requires
from xiangyue.web.components import FormView, ListView
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_actor, current_uow, runtime
from xiangyue.web.shell import flash, page, without_problems

PAGE = 50


def _listing(id: int, **state: Any) -> ListView:
    args = switch.args_without_all()
    return ListView(
        columns=view.STANDER_COLUMNS,
        filters=view.stander_filters(),
        args=args,
        path=url_for("privacy.list_standers", id=id),
        page_size=PAGE,
        default_sort="place",
        export_url=url_for("privacy.export_standers", id=id) if current_actor().can(HOUSEHOLD_EXPORT) else None,
        **state,
    )


@bp.get("/privacy/notices/<int:id>/persons")
@requires(policy.CONSENT_VIEW)
def list_standers(id: int) -> Any:
    """Who consented, refused, is still to be asked or to be asked again, in the reader's area."""
    uow = current_uow()
    area, elsewhere = switch.page_area(uow)
    if elsewhere:
        return redirect(elsewhere)
    asked, found = _listing(id), queries.get_notice(uow, id)
    if onward := without_problems(asked):
        return onward
    wanted = view.standers(request.args, area)
    rows = queries.list_standers(
        uow, found, wanted, sort=asked.order, limit=PAGE, after=asked.after, before=asked.before
    )
    count = queries.count_standers(uow, found, wanted)
    service.note_standers_read(uow, notice=found.notice, area=area, persons=[row.id for row in rows.rows])
    shown = _listing(
        id,
        count=count,
        count_text=ngettext("%(n)d person", "%(n)d persons", count),
        shown=len(rows.rows),
        next_cursor=rows.next,
        back_cursor=rows.back,
    )
    return page(
        "privacy/standers.html",
        view=shown,
        rows=rows.rows,
        notice=found.notice,
        policy=policy,
        sensitive=found.notice.whom in queries.sensitive_whom(uow),
        closed=current_actor().can(SENSITIVE_VIEW) and needs_purpose(uow),
        places=places(uow, {row.area_code for row in rows.rows}),
        area_name=names(uow, [area]).get(area, "") if area else "",
    )


@bp.route("/privacy/notices/<int:id>/persons/export", methods=["GET", "POST"])
@requires(policy.CONSENT_VIEW)
def export_standers(id: int) -> Any:
    """The question what for; sent, the list at this address as a spreadsheet."""
    if not current_actor().can(HOUSEHOLD_EXPORT):  # personal data go out only with the right to that too
        raise lacking(HOUSEHOLD_EXPORT)
    uow, asked, seen = current_uow(), _listing(id), Ids()
    found, area = queries.get_notice(uow, id), switch.asked_area(uow)

    def cells() -> Iterator[list[Any]]:
        rows = queries.each_stander(
            uow, found, view.standers(request.args, area), sort=asked.order, limit=policy.EXPORT_LIMIT + 1
        )
        for row in rows:
            seen.add(row.id)
            yield [_cell(row, column.key) for column in asked.visible]

    known: dict[int, str] = {}

    def _cell(row: queries.Stander, column: str) -> Any:
        if column == "place" and row.area_code not in known:
            known.update(places(uow, [row.area_code]))
        values: dict[str, Any] = {
            "name": row.name,
            "place": known.get(row.area_code, ""),
            "household": row.household,
            "birth": row.birth_date,
            "standing": str(policy.STANDINGS[row.standing]),
            "on": row.on,
            "number": row.number,
        }
        return values[column]

    def note(taken: Taken) -> None:
        told = {**asdict(taken), "conditions": {**taken.conditions, "notice": [found.notice.title]}}
        service.note_consents_export(uow, seen=seen, **told)

    return export_list(
        asked,
        title=_("Export consents"),
        of=_("Consents"),
        back=asked.url(url_for("privacy.list_standers", id=id)),
        cells=cells,
        note=note,
        most=policy.EXPORT_LIMIT,
    )


@bp.get("/privacy/persons/<int:id>/consents")
@requires(policy.CONSENT_VIEW)
def show_consents(id: int) -> Any:
    return _page(id)


def _page(id: int, status: int = 200, form: FormView | None = None) -> Any:
    uow = current_uow()
    person = uow.get(Person, id)
    asked, said = queries.asked_of(uow, person), queries.shown_of(uow, person)
    notices_seen = [one.view.notice for one in asked] + [one.notice for one in said]
    service.note_asked_read(uow, person=person, notices=notices_seen)
    wanted = request.args.get("notice", type=int)
    notices = [one.view for one in asked if one.view.asks or one.standing in ("given", "outdated")]
    first = next((v.notice.id for v in notices if v.notice.id == wanted), None) or next(
        (one.view.notice.id for one in asked if one.standing in ("missing", "outdated")), None
    )
    # What was said, and how, is for whoever heard it to say: nothing is ticked beforehand.
    start = {"notice_id": first or "", "answer": request.args.get("answer", ""), "on": today().isoformat()}
    unwanted = queries.phone_unwanted(asked)
    return page(
        "privacy/consents.html",
        status,
        person=person,
        asked=asked,
        said=said,
        notices=notices,
        policy=policy,
        form=form or FormView(action=url_for("privacy.add_consent", id=id), values=start, multipart=True),
        may_edit=may(policy.CONSENT_EDIT, person.area_code) and person.erased_at is None,
        unwanted=unwanted,
        guardians=bool(unwanted) and may(CARE_EDIT, person.area_code) and _guardians_phone(person),
        may_remove=may(HOUSEHOLD_EDIT, person.area_code),
    )


def _guardians_phone(person: Person) -> bool:
    care = care_of(current_uow(), person.id).care
    return care is not None and care.guardian_phone is not None


@bp.post("/privacy/persons/<int:id>/consents")
@requires(policy.CONSENT_EDIT)
def add_consent(id: int) -> Any:
    """Record what was said; errors bring the form back with what was typed."""
    uow, typed = current_uow(), request.form
    file = request.files.get("scan")
    scan = (cast("BinaryIO", file.stream), file.filename or "") if file is not None and file.filename else None
    try:
        row = service.record_consent(
            uow,
            person_id=id,
            notice_id=typed.get("notice_id", 0, type=int),
            values=typed,
            keys=runtime().tenant_keys(uow),
            storage=runtime().storage,
            scan=scan,
        )
    except (Invalid, Conflict) as error:
        uow.rollback()
        fields = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        action = url_for("privacy.add_consent", id=id)
        form = FormView(action=action, values=typed, errors=fields, multipart=True)
        return _page(id, 422 if isinstance(error, Invalid) else 409, form)
    version = next(v for v in queries.get_notice(uow, row.notice_id).versions if v.id == row.version_id)
    if row.answer != "given" and version.consequence:
        flash(_("Recorded. What follows: %(consequence)s", consequence=version.consequence), "warning")
    else:
        flash(_("The answer is recorded."), "success")
    return redirect(url_for("privacy.show_consents", id=id), 303)


@bp.post("/privacy/persons/<int:id>/consents/phone")
@requires(HOUSEHOLD_EDIT)
def remove_phone(id: int) -> Any:
    """Do what the form of consent says follows: take the phone of whoever does not agree off the record."""
    uow, version = current_uow(), request.form.get("version", 0, type=int)
    try:
        edit_person(uow, keys=runtime().tenant_keys(uow), person_id=id, version=version, changes={"phone": ""})
    except (Conflict, Refused, Stale) as error:
        uow.rollback()
        flash(error.message, "warning")
    else:
        flash(_("The phone is no longer on record."), "success")
    return redirect(url_for("privacy.show_consents", id=id), 303)


@bp.get("/privacy/consents/<int:id>/scan")
@requires(policy.CONSENT_VIEW)
def show_scan(id: int) -> Any:
    """The signed paper, of somebody in the reader's area."""
    uow = current_uow()
    file, data = service.read_scan(uow, id=id, keys=runtime().tenant_keys(uow), storage=runtime().storage)
    response = Response(data, content_type=file.media_type)
    response.headers["Content-Disposition"] = content_disposition(file.name)
    return response
