"""Writes of what hangs on households and persons: marks, incomes, awards, own fields. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.access.permissions import lacking
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid, NotFound, Stale
from xiangyue.features.households import policy
from xiangyue.features.households.custom import parse_values, write_values
from xiangyue.features.households.events import ask, tell_household, tell_person
from xiangyue.features.households.models import (
    AwardKind,
    Household,
    HouseholdAward,
    HouseholdIncome,
    MarkKind,
    Person,
    PersonMark,
)
from xiangyue.features.households.origins import INCOME, note_origins
from xiangyue.features.households.person_input import Errors, today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT, SENSITIVE_VIEW
from xiangyue.features.households.writing import check_version, checked_day, refuse_merged, take_text
from xiangyue.features.privacy.access_log import Ids, marked_in, note_look, note_set, way_of
from xiangyue.i18n import lazy_gettext as _l

SOURCE_LENGTH, NOTE_LENGTH = 100, 500
FIRST_YEAR = 1990
#: Whole yuan; more than any household earns, and far from what a bigint holds.
MOST_INCOME = 1_000_000_000


def _may(uow: Uow, permission: Any, area_code: int) -> bool:
    return uow.actor.scope(permission).contains(area_code)


def _kind(uow: Uow, key: str, area_code: int) -> MarkKind:
    """The kind of mark, if the actor may see it here, and may change it."""
    kind = uow.session.scalars(select(MarkKind).where(MarkKind.key == key)).one_or_none()
    sensitive = kind is not None and kind.sensitivity != "normal"
    if kind is None or (sensitive and not _may(uow, policy.SENSITIVE_VIEW, area_code)):
        raise Invalid({"mark": [_l("There is no mark “%(mark)s”.", mark=key)]})
    if sensitive and not _may(uow, policy.SENSITIVE_EDIT, area_code):
        raise lacking(policy.SENSITIVE_EDIT)
    return kind


def _texts(errors: Errors, **given: tuple[str, int]) -> dict[str, str]:
    found: dict[str, Any] = {}
    for name, (value, limit) in given.items():
        take_text({name: value}, name, limit, found, errors)
    if errors:
        raise Invalid(errors)
    return found


@acts(HOUSEHOLD_EDIT)
def add_mark(
    uow: Uow, *, person_id: int, key: str, source: str = "", valid_from: date | None = None, note: str = ""
) -> PersonMark:
    """Give a present person a mark; sensitive ones need their own right. ``source`` says who established it.
    Raises NotFound, Invalid, Forbidden, Conflict (has it already, has left)."""
    person = uow.get_for_update(Person, person_id)
    kind = _kind(uow, key, person.area_code)
    if not kind.active:
        raise Invalid({"mark": [_l("This mark is no longer given.")]})
    texts = _texts({}, source=(source, SOURCE_LENGTH), note=(note, NOTE_LENGTH))
    if valid_from is not None:
        valid_from = checked_day(valid_from, "valid_from")
    if person.state != "active":
        raise Conflict(_l("This person has left already."))
    standing = select(PersonMark.id).where(
        PersonMark.household_id == person.household_id,
        PersonMark.person_id == person_id,
        PersonMark.mark_key == key,
        PersonMark.valid_to.is_(None),
    )
    if uow.session.scalars(standing.limit(1)).one_or_none() is not None:
        raise Conflict(_l("%(name)s has this mark already.", name=person.name))
    ask(uow, person.household_id, {"person_id": person.id, "mark": key, "valid_from": valid_from, **texts})
    mark = PersonMark(
        person_id=person_id,
        household_id=person.household_id,
        area_code=person.area_code,
        mark_key=key,
        valid_from=valid_from,
        **texts,
    )
    uow.session.add(mark)
    uow.session.flush()
    after = {"mark": key, "valid_from": valid_from, **texts}
    _audit_person(uow, "mark.add", person, after={k: v for k, v in after.items() if v})
    tell_person(uow, person, "mark.add")
    return mark


@acts(HOUSEHOLD_EDIT)
def end_mark(uow: Uow, *, mark_id: int, on: date | None = None, reason: str = "") -> PersonMark:
    """End a mark (``on``: its last day, today when missing); it stays on record. Raises NotFound, Invalid, Forbidden,
    Conflict."""
    mark = uow.get_for_update(PersonMark, mark_id)
    try:
        _kind(uow, mark.mark_key, mark.area_code)
    except Invalid:
        raise NotFound(_l("There is no such entry, or it lies outside your area.")) from None
    if mark.valid_to is not None:
        raise Conflict(_l("This mark has ended already."))
    day = today() if on is None else checked_day(on)
    if mark.valid_from is not None and day < mark.valid_from:
        raise Invalid({"on": [_l("The mark began on %(day)s.", day=mark.valid_from.isoformat())]})
    reason = _texts({}, reason=(reason, SOURCE_LENGTH))["reason"]
    person = uow.get(Person, mark.person_id)
    ask(uow, mark.household_id, {"person_id": person.id, "mark_ended": mark.mark_key, "on": day, "reason": reason})
    mark.valid_to = day
    after = {"mark": mark.mark_key, "on": day, "reason": reason}
    _audit_person(uow, "mark.end", person, before={"mark": mark.mark_key}, after={k: v for k, v in after.items() if v})
    tell_person(uow, person, "mark.end")
    uow.session.flush()
    return mark


def _audit_person(uow: Uow, action: str, person: Person, **values: Any) -> None:
    audit(uow, action=action, obj=person, label=person.name, **values)


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= today().year:
        raise Invalid({"year": [_l("A year from %(first)s to %(last)s.", first=FIRST_YEAR, last=today().year)]})


def _check_record(row: HouseholdIncome | HouseholdAward | None, version: int | None, value: Any) -> None:
    """``version`` 0: there was no record yet."""
    now = row.version if row is not None else 0
    if version is not None and version != now:
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={"value": value, "version": now})


@acts(HOUSEHOLD_EDIT)
def set_income(
    uow: Uow, *, household_id: int, year: int, amount: int | None, source: str = "", version: int | None = None
) -> HouseholdIncome | None:
    """Record a year's income in whole yuan; None takes the record away. ``version`` of the record (0: none yet) guards
    against a lost update. Raises NotFound, Invalid (year, amount, source), Stale."""
    household = uow.get_for_update(Household, household_id)
    refuse_merged(household)
    _check_year(year)
    if amount is not None and not 0 <= amount <= MOST_INCOME:
        raise Invalid({"amount": [_l("Whole yuan from 0 to %(most)s.", most=MOST_INCOME)]})
    source = _texts({}, source=(source, SOURCE_LENGTH))["source"]
    statement = select(HouseholdIncome).where(
        HouseholdIncome.household_id == household_id, HouseholdIncome.year == year
    )
    row = uow.session.scalars(statement).one_or_none()
    _check_record(row, version, row.amount if row else None)
    before = None if row is None else {"income": row.amount, "income_year": year, "source": row.source}
    after = None if amount is None else {"income": amount, "income_year": year, "source": source}
    if before == after:
        return row
    ask(uow, household.id, {"income": amount, "income_year": year, "source": source})
    if amount is None:
        uow.session.delete(row)
        row = None
    elif row is None:
        row = HouseholdIncome(household_id=household_id, area_code=household.area_code, year=year, version=1)
        row.amount, row.source = amount, source
        uow.session.add(row)
    else:
        row.amount, row.source = amount, source
        row.version += 1
    note_origins(uow, "household", household.id, [f"{INCOME}{year}"])
    audit(uow, action="household.income", obj=household, label=household.head_name, before=before, after=after)
    tell_household(uow, household, "household.income")
    uow.session.flush()
    return row


@acts(HOUSEHOLD_EDIT)
def set_award(
    uow: Uow,
    *,
    household_id: int,
    key: str,
    year: int,
    awarded: bool | None,
    source: str = "",
    version: int | None = None,
) -> HouseholdAward | None:
    """Record a year's judgement: True awarded, False judged and not awarded, None takes the record away (nothing is
    known). Raises NotFound, Invalid (award, year, source), Stale."""
    household = uow.get_for_update(Household, household_id)
    refuse_merged(household)
    if uow.session.scalars(select(AwardKind.id).where(AwardKind.key == key)).one_or_none() is None:
        raise Invalid({"award": [_l("There is no award “%(award)s”.", award=key)]})
    _check_year(year)
    source = _texts({}, source=(source, SOURCE_LENGTH))["source"]
    statement = select(HouseholdAward).where(
        HouseholdAward.household_id == household_id, HouseholdAward.award_key == key, HouseholdAward.year == year
    )
    row = uow.session.scalars(statement).one_or_none()
    _check_record(row, version, row.awarded if row else None)
    common = {"award": key, "year": year}
    before = None if row is None else {**common, "awarded": row.awarded, "source": row.source}
    after = None if awarded is None else {**common, "awarded": awarded, "source": source}
    if before == after:
        return row
    ask(uow, household.id, {"award": key, "award_year": year, "awarded": awarded, "source": source})
    if awarded is None:
        uow.session.delete(row)
        row = None
    elif row is None:
        row = HouseholdAward(household_id=household_id, area_code=household.area_code, award_key=key, year=year)
        row.awarded, row.source, row.version = awarded, source, 1
        uow.session.add(row)
    else:
        row.awarded, row.source = awarded, source
        row.version += 1
    audit(uow, action="household.award", obj=household, label=household.head_name, before=before, after=after)
    tell_household(uow, household, "household.award")
    uow.session.flush()
    return row


@acts(HOUSEHOLD_EDIT)
def set_custom_values(
    uow: Uow, *, entity: str, owner_id: int, values: Mapping[str, Any], version: int
) -> Household | Person:
    """Set the county's own fields of a ``household`` or ``person`` by key; None or "" empties one. Raises NotFound,
    Invalid (``custom.<key>``), Stale."""
    owner: Household | Person
    if entity == "household":
        owner = uow.get_for_update(Household, owner_id)
    else:
        owner = uow.get_for_update(Person, owner_id)
    check_version(owner, version, {})
    given = parse_values(uow, entity, values)
    person = {} if isinstance(owner, Household) else {"person_id": owner.id}
    ask(uow, owner.id if isinstance(owner, Household) else owner.household_id, person, given)
    before, after = write_values(uow, owner, given)
    if after:
        note_origins(uow, entity, owner.id, after)
        owner.version += 1
        if isinstance(owner, Household):
            tell_household(uow, owner, "household.edit")
        else:
            tell_person(uow, owner, "person.edit")
        label = owner.head_name if isinstance(owner, Household) else owner.name
        audit(uow, action=f"{entity}.edit", obj=owner, label=label, before=before, after=after)
        uow.session.flush()
    return owner


@acts(SENSITIVE_VIEW)
def note_sensitive_read(
    uow: Uow,
    *,
    object_type: str,
    object_id: int | None,
    label: str,
    area_code: int,
    marks: Sequence[str],
    persons: Sequence[int] = (),
    households: Sequence[int] = (),
) -> None:
    """Put into the audit trail that sensitive marks (keys) of a household, person or list were shown, and what for;
    and into the access logs of the persons: of a list ``persons``, or those of ``households`` who have the marks."""
    if marks:
        if object_type == "person" and object_id is not None:
            note_look(uow, person_id=object_id, seen="marks", detail=marks, purpose=uow.info.purpose)
        else:
            homes = [object_id] if object_id is not None else households
            seen = Ids(persons) if persons else marked_in(uow, homes, marks)
            way = way_of(uow) if object_id is not None else "list"
            note_set(uow, persons=seen, seen="marks", detail=marks, purpose=uow.info.purpose, way=way)
        audit(
            uow,
            action="mark.read",
            object_type=object_type,
            object_id=object_id,
            label=label,
            area_code=area_code,
            after={"marks": list(marks)},
            purpose=uow.info.purpose,
        )
