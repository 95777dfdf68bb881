"""Reads of carers, helpers and referrals."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select

from xiangyue.access.crypto import TenantKeys, column_context, decrypt_text
from xiangyue.db.uow import Uow
from xiangyue.errors import NotFound
from xiangyue.features.households.models import Household, Person
from xiangyue.features.households.person_input import today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.privacy.models_care import CareReferral, PersonCare
from xiangyue.features.privacy.policy_care import CHILD, OLD, YOUNG
from xiangyue.features.privacy.queries_consent import guardian_consented
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.phone import mask_phone


@dataclass(frozen=True, slots=True)
class CareView:
    """What is known of the care for a person. ``alone``: nobody else lives in the household; ``old_only``: nobody
    under 60 does."""

    person: Person
    care: PersonCare | None
    referrals: list[CareReferral]
    alone: bool
    old_only: bool
    #: Whether a guardian consented, here or by a form of consent.
    consented: bool = False

    @property
    def age(self) -> int | None:
        return age_on(self.person.birth_date, today())

    @property
    def child(self) -> bool:
        return self.age is not None and self.age < CHILD

    @property
    def young(self) -> bool:
        return self.age is not None and self.age < YOUNG

    @property
    def old(self) -> bool:
        return self.age is not None and self.age >= OLD

    @property
    def consent_missing(self) -> bool:
        """A phone of a child under 14 is kept without the guardian's consent."""
        return self.young and self.person.phone is not None and not self.consented

    @property
    def relevant(self) -> bool:
        """Whether there is anything to say or to ask."""
        return self.child or self.old or self.care is not None or bool(self.referrals)


def care_of(uow: Uow, person_id: int) -> CareView:
    """Raises NotFound outside the area."""
    person = uow.get(Person, person_id)
    care = uow.session.scalars(select(PersonCare).where(PersonCare.person_id == person_id)).one_or_none()
    referrals = select(CareReferral).where(CareReferral.person_id == person_id).order_by(CareReferral.id.desc())
    with uow.tenant_wide("who else lives in the household of a person the reader may see"):
        count = uow.session.scalars(select(Household.living_count).where(Household.id == person.household_id)).one()
        others = select(Person.birth_date).where(
            Person.household_id == person.household_id, Person.state == "active", Person.away.is_(False)
        )
        births = list(uow.session.scalars(others))
    here = person.state == "active" and not person.away
    old = all((age_on(born, today()) or 0) >= OLD for born in births)
    return CareView(
        person,
        care,
        list(uow.session.scalars(referrals)),
        here and count == 1,
        here and count > 1 and old,
        guardian_consented(uow, person_id),
    )


def guardian_phone(keys: TenantKeys, care: PersonCare | None) -> str:
    """In full; "" for none. Whoever shows it puts it on record."""
    if care is None or care.guardian_phone is None:
        return ""
    return decrypt_text(keys, care.guardian_phone, phone_context(care.tenant_id))


def masked_phone(keys: TenantKeys, care: PersonCare | None) -> str:
    full = guardian_phone(keys, care)
    return mask_phone(full) if full else ""


def phone_context(tenant_id: int) -> bytes:
    return column_context(tenant_id, "person_care.guardian_phone")


def get_referral(uow: Uow, id: int) -> tuple[CareReferral, Person]:
    """One referral of a person inside the area, locked. Raises NotFound."""
    whose = and_(Person.tenant_id == CareReferral.tenant_id, Person.id == CareReferral.person_id)
    statement = select(CareReferral, Person).join(Person, whose).where(CareReferral.id == id)
    found = uow.session.execute(statement.with_for_update(of=CareReferral)).one_or_none()
    if found is None:
        raise NotFound(_l("There is no such entry, or it lies outside your area."))
    return found[0], found[1]


def open_referrals(uow: Uow, *, limit: int = 20) -> list[tuple[CareReferral, Person]]:
    """What the children's directors have not answered, the oldest first."""
    whose = and_(Person.tenant_id == CareReferral.tenant_id, Person.id == CareReferral.person_id)
    statement = select(CareReferral, Person).join(Person, whose).where(CareReferral.state == "open")
    rows = uow.session.execute(statement.order_by(CareReferral.referred_on, CareReferral.id).limit(limit))
    return [(row[0], row[1]) for row in rows]
