"""Sending, answering, passing on and ending calls. Nothing here commits."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from xiangyue.features.callouts import queries
from xiangyue.features.callouts.models import Callout, CalloutAnswer, CalloutGroup, CalloutHousehold
from xiangyue.features.callouts.policy import (
    ANSWERS,
    CALLOUT_ANSWER,
    CALLOUT_SEND,
    CALLOUT_SETTINGS,
    CALLOUT_VIEW,
    DRILL_DAYS,
    FORGOTTEN_DAYS,
    HELP,
    KINDS,
    LIMITS,
    MOST_HOUSEHOLDS,
    NOTE_LENGTH,
    PLACE_LENGTH,
    SETTING,
    STATES,
    TEXT_LENGTH,
    WAITING,
    CallRule,
)
from xiangyue.features.callouts.refused import presence_word
from xiangyue.features.grids.queries_posts import posts_on
from xiangyue.features.grids.rules import put_setting
from xiangyue.features.households.person_input import today
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.service import enqueue_later
from xiangyue.plugin.dispatch import publish
from xiangyue.text.whole import whole_number

ESCALATE = "callouts.escalate"


@acts(CALLOUT_SEND)
def send_callout(
    uow: Uow,
    *,
    client_id: uuid.UUID,
    kind: str,
    message: str,
    area_code: int,
    grid_ids: Collection[int] = (),
    group_ids: Collection[int] = (),
    place: str = "",
    drill: bool = False,
) -> Callout:
    """One message to the heads of the groups of an area (15 digits, a village or a town), of these grids in it, or to
    these groups. Households of the area or grids that are in no group go along for the village to reach itself.

    ``client_id``: the sender's; sent again, it is the same call. Raises NotFound; Invalid by field, also for a kind or
    words of a roll call and for a second drill of the same households within a month.
    """
    known = uow.session.scalars(select(Callout).where(Callout.client_id == client_id)).one_or_none()
    if known is not None:
        return known
    _only_emergencies(kind, message, place)
    errors: dict[str, list[Any]] = {}
    text, place = " ".join(message.split()), place.strip()
    if not text or len(text) > TEXT_LENGTH:
        errors["message"] = [_l("Say in at most %(n)d characters what has happened and what to do.", n=TEXT_LENGTH)]
    if len(place) > PLACE_LENGTH:
        errors["place"] = [_l("At most %(n)d characters.", n=PLACE_LENGTH)]
    if not area_code % 1_000_000_000_000:
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    if not uow.scope.contains(area_code):
        raise NotFound(_l("There is no such area, or it lies outside yours."))
    if errors:
        raise Invalid(errors)
    if queries.grids_within(uow, area_code, grid_ids) < len(set(grid_ids)):
        raise Invalid({"grid_ids": [_l("Some of these grids are no longer there, or lie outside the area.")]})
    groups = queries.groups_in(uow, area_code=area_code, grid_ids=grid_ids, group_ids=group_ids)
    if len(groups) < len(set(group_ids)):
        raise Invalid({"group_ids": [_l("Some of these groups are no longer there, or lie outside the area.")]})
    members = queries.members_of(uow, [group["group_id"] for group in groups])
    groups = [group for group in groups if members.get(group["group_id"])]
    rest = [] if group_ids else queries.in_no_group(uow, area_code=area_code, grid_ids=grid_ids)
    number = sum(len(ids) for ids in members.values()) + len(rest)
    if not number:
        raise Invalid({"group_ids": [_l("There is nobody to call: choose an area, grids or groups with households.")]})
    if number > MOST_HOUSEHOLDS:
        raise Invalid(
            {"area_code": [_l("That is more than %(n)d households: call a part of it at a time.", n=MOST_HOUSEHOLDS)]}
        )
    if drill:
        everyone = [id for ids in (*members.values(), rest) for id, _area in ids]
        lately = queries.drilled_lately(uow, everyone, today() - timedelta(DRILL_DAYS))
        if lately:
            raise Invalid(
                {
                    "drill": [
                        _l(
                            "%(n)d of these households took part in a drill within %(days)d days. Drills are for"
                            " practice, not for checking who is there.",
                            n=lately,
                            days=DRILL_DAYS,
                        )
                    ]
                }
            )
    rule = queries.call_rule(uow)
    call = Callout(
        client_id=client_id, area_code=area_code, kind=kind, drill=drill, message=text, place=place, version=1,
        account_id=uow.actor.account_id, by_name=uow.actor.name or uow.actor.login, state="open",
        escalate_at=datetime.now(UTC) + timedelta(minutes=rule.escalate_minutes),
    )  # fmt: skip
    try:
        with uow.session.begin_nested():
            uow.session.add(call)
            uow.session.flush()
    except IntegrityError:  # the phone sent it twice at once
        return uow.session.scalars(select(Callout).where(Callout.client_id == client_id)).one()
    for group in groups:
        _put(uow, call, group, members[group["group_id"]])
    for village in sorted({area - area % 1000 for _id, area in rest}):
        here = [one for one in rest if one[1] - one[1] % 1000 == village]
        _put(uow, call, {"area_code": village, "name": ""}, here)
    enqueue_later(uow, kind=ESCALATE, params={"callout_id": call.id}, unique_key=f"{ESCALATE}:{call.id}",
                delay=rule.escalate_minutes * 60)  # fmt: skip
    told = {"kind": str(KINDS[kind]), "drill": drill, "group_count": len(groups), "households": number, "message": text}
    audit(uow, action="callout.send", obj=call, label=str(KINDS[kind]), after=told)
    _publish(uow, call, "callout.send", [g["head_person_id"] for g in groups if g["head_person_id"]])
    return call


def _only_emergencies(kind: str, message: str, place: str) -> None:
    if kind not in KINDS:
        raise Invalid(
            {
                "kind": [
                    _l(
                        "Calls are for emergencies and safety only. A roll call, attendance, a meeting or a notice"
                        " cannot be sent this way."
                    )
                ]
            }
        )
    found = {name: word for name, text in (("message", message), ("place", place)) if (word := presence_word(text))}
    if found:
        raise Invalid(
            {
                name: [
                    _l(
                        "“%(word)s” stands in the message. Calls are for emergencies and safety only; they never check"
                        " who is present. Take it out, if this is an emergency.",
                        word=word,
                    )
                ]
                for name, word in found.items()
            }
        )


def _put(uow: Uow, call: Callout, group: Mapping[str, Any], households: Collection[tuple[int, int]]) -> None:
    kept = {name: value for name, value in group.items() if name != "head_name"}
    row = CalloutGroup(callout_id=call.id, version=1, **kept)
    uow.session.add(row)
    uow.session.flush()
    values = [
        {"tenant_id": uow.tenant_id, "callout_group_id": row.id, "household_id": id, "area_code": area}
        for id, area in households
    ]
    uow.session.execute(insert(CalloutHousehold), values)


def _publish(uow: Uow, call: Callout, action: str, person_ids: Collection[int]) -> None:
    publish(uow, "callout_happened", callout_id=call.id, action=action, message=call.message, drill=call.drill,
            person_ids=sorted(person_ids))  # fmt: skip


@acts(CALLOUT_ANSWER)
def answer(
    uow: Uow, *, callout_group_id: int, client_id: uuid.UUID, states: Mapping[int, str], rest: str = ""
) -> CalloutGroup:
    """What is known of a group's households: ``states`` by household id, ``rest`` for those without an answer yet.

    The head answers for the own group; who may see calls there answers in the head's place, and it is recorded so.
    ``client_id``: of the phone; the same again does nothing. Raises NotFound, Invalid (``states``), Conflict when the
    call has ended.
    """
    # The call before the group, as passing on and ending do: an answer is in the summary, or comes too late.
    call = _call_of(uow, uow.get(CalloutGroup, callout_group_id))
    group = uow.get_for_update(CalloutGroup, callout_group_id)
    mine = queries.is_head(uow, group)
    if not mine and not uow.actor.scope(CALLOUT_VIEW).contains(group.area_code):
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    known = uow.session.scalars(select(CalloutAnswer).where(CalloutAnswer.client_id == client_id)).one_or_none()
    if known is not None:
        if known.callout_group_id != group.id:
            raise Conflict(_l("This answer was sent for another group already."))
        return group
    if call.state != "open":
        raise Conflict(_l("This call has ended."))
    rows = {row.household_id: row for row in _households(uow, group)}
    wanted = {int(id): state for id, state in states.items()}
    if rest:
        wanted = {**{id: rest for id, row in rows.items() if row.state == WAITING}, **wanted}
    if not wanted or set(wanted) - set(rows) or set(wanted.values()) - set(ANSWERS):
        raise Invalid(
            {"states": [_l("Say for households of this group whether they were reached, not reached, or need help.")]}
        )
    now = datetime.now(UTC)
    for id, state in wanted.items():
        rows[id].state, rows[id].on_behalf, rows[id].at = state, not mine, now
    group.answered_at = group.answered_at or now
    group.version += 1
    counted = {state: sum(value == state for value in wanted.values()) for state in ANSWERS}
    uow.session.add(
        CalloutAnswer(
            callout_group_id=group.id, area_code=group.area_code, client_id=client_id, number=len(wanted), at=now,
            households={str(id): state for id, state in wanted.items()}, on_behalf=not mine,
            account_id=uow.actor.account_id, by_name=uow.actor.name or uow.actor.login,
        )
    )  # fmt: skip
    uow.session.flush()
    audit(uow, action="callout.answer", obj=group, label=group.name,
          after={**_told(counted), "on_behalf": not mine})  # fmt: skip
    return group


def _call_of(uow: Uow, group: CalloutGroup) -> Callout:
    """The call of a group, which goes on or ends only after this transaction."""
    whose = select(Callout).where(Callout.id == group.callout_id).with_for_update(read=True)
    with uow.tenant_wide("the call of a group may have gone to a wider area than the reader's"):
        return uow.session.scalars(whose.execution_options(populate_existing=True)).one()


def _households(uow: Uow, group: CalloutGroup) -> list[CalloutHousehold]:
    with uow.tenant_wide("a group's households are answered for as a whole"):
        rows = select(CalloutHousehold).where(CalloutHousehold.callout_group_id == group.id)
        return list(uow.session.scalars(rows.order_by(CalloutHousehold.id)))


@acts(None)
def escalate(uow: Uow, *, callout_id: int) -> int:
    """Groups that have not answered go on to the principal leader of their grid; returns how many. For the job, which
    runs when the time has come; a second time nothing happens."""
    with uow.tenant_wide("a call that was not answered goes on wherever it went"):
        call = uow.session.scalars(select(Callout).where(Callout.id == callout_id).with_for_update()).one_or_none()
        if call is None or call.state != "open" or call.escalated_at is not None:
            return 0
        now = datetime.now(UTC)
        call.escalated_at = now
        rows = select(CalloutGroup).where(CalloutGroup.callout_id == call.id, CalloutGroup.answered_at.is_(None))
        silent = list(uow.session.scalars(rows.order_by(CalloutGroup.id)))
        posts = posts_on(uow, [group.grid_id for group in silent if group.grid_id is not None], today())
        leaders = []
        for group in silent:
            group.escalated_at = now
            able = [p for p in posts.get(group.grid_id or 0, []) if p["role"] == "leader" and not p["problem"]]
            if able:
                group.leader_post_id = able[0]["id"]
                leaders += [able[0]["person_id"]] if able[0]["person_id"] else []
        uow.session.flush()
        if silent:
            audit(
                uow,
                action="callout.escalate",
                obj=call,
                label=str(KINDS.get(call.kind, call.kind)),
                after={"group_count": len(silent)},
            )
            _publish(uow, call, "callout.escalate", set(leaders))
        return len(silent)


@acts(CALLOUT_SEND)
def end_callout(uow: Uow, *, callout_id: int, version: int, note: str = "") -> Callout:
    """The call is over; what was known of the households is its summary. Raises NotFound, Stale, Conflict, Invalid."""
    call = uow.get_for_update(Callout, callout_id)
    if call.version != version:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"state": call.state})
    if call.state != "open":
        raise Conflict(_l("This call has ended."))
    if len(note.strip()) > NOTE_LENGTH:
        raise Invalid({"note": [_l("At most %(n)d characters.", n=NOTE_LENGTH)]})
    _end(uow, call, note.strip(), uow.actor.name or uow.actor.login)
    return call


def _end(uow: Uow, call: Callout, note: str, by: str) -> None:
    with uow.tenant_wide("the summary is of the whole call"):
        rows = queries.groups_of_call(uow, call.id)
    rule = queries.call_rule(uow)
    call.summary = {
        "groups": len([row for row in rows if row["group_id"] is not None]),
        "unanswered": sum(row["answered_at"] is None for row in rows),
        "households": sum(row["households"] for row in rows),
        **{state: sum(row[state] for row in rows) for state in STATES},
    }
    call.state, call.ended_at, call.ended_by_name, call.note = "ended", datetime.now(UTC), by, note
    call.keep_until = today() + timedelta(rule.drill_keep_days if call.drill else rule.keep_days)
    call.version += 1
    uow.session.flush()
    audit(
        uow,
        action="callout.end",
        obj=call,
        label=str(KINDS.get(call.kind, call.kind)),
        after={**_told(call.summary), "drill": call.drill},
    )
    _publish(uow, call, "callout.end", ())


def _told(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts as the audit trail calls them."""
    words = {"groups": "group_count", HELP: "needs_help", WAITING: "without_answer"}
    return {words.get(name, name): number for name, number in counts.items() if number}


@acts(None)
def forget_old(uow: Uow) -> int:
    """End calls that nobody ended for a week, and delete those that were kept long enough; returns how many. For the
    daily job."""
    with uow.tenant_wide("calls of the whole county are kept for a limited time"):
        left = select(Callout).where(
            Callout.state == "open", Callout.created_at < datetime.now(UTC) - timedelta(FORGOTTEN_DAYS)
        )
        for call in uow.session.scalars(left.order_by(Callout.id)).all():
            _end(uow, call, _("Ended by itself: nobody had ended it."), "")
        old = list(uow.session.scalars(select(Callout.id).where(Callout.keep_until < today())))
        if old:
            uow.session.execute(delete(Callout).where(Callout.id.in_(old)))
            audit(uow, action="callout.forget", object_type="callout", after={"calls": len(old)})
        return len(old)


@acts(CALLOUT_SETTINGS)
def set_rule(uow: Uow, *, values: Mapping[str, Any]) -> CallRule:
    """When calls go on, and how long they are kept. Raises Invalid by field, Forbidden without the right in the whole
    county."""
    if uow.scope.ranges is not None:
        raise Forbidden(_l("Settings hold for the whole county: you need the right for the whole county."))
    errors: dict[str, list[Any]] = {}
    found: dict[str, int] = {}
    for name, (least, most) in LIMITS.items():
        number = whole_number(values.get(name, ""))
        if number is None or not least <= number <= most:
            errors[name] = [_l("A whole number from %(least)d to %(most)d.", least=least, most=most)]
        else:
            found[name] = number
    if errors:
        raise Invalid(errors)
    rule = CallRule(**found)
    put_setting(uow, SETTING, rule.plain())
    uow.session.flush()
    return rule
