"""A phone of a child's own: sensitive under 14, so that it is taken down with the guardian's consent only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.uow import Uow
from xiangyue.features.households.identifiers import PHONE, sealed
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import Errors, today
from xiangyue.features.households.queries_persons import age_on
from xiangyue.features.privacy.policy_care import YOUNG
from xiangyue.features.privacy.queries_consent import guardian_consented
from xiangyue.i18n import lazy_gettext as _l


def check_childs_phone(
    uow: Uow, keys: TenantKeys, found: Mapping[str, Any], errors: Errors, person: Person | None = None
) -> None:
    """A newly typed phone of a child under 14 without the guardian's consent is an error of ``phone`` (PIPL articles 28
    and 31). ``person`` None: a new one. What stands already, and what rosters bring, is pointed out instead."""
    if not found.get("phone"):
        return
    born = found.get("birth_date", person.birth_date if person is not None else None)
    age = age_on(born, today())
    if age is None or age >= YOUNG:
        return
    if person is None:
        errors["phone"] = [
            _l(
                "A child under 14: register it without a phone, record the guardian's consent on its page, "
                "then enter the phone (PIPL article 31)."
            )
        ]
    elif sealed(keys, uow.tenant_id, PHONE, found["phone"])[1] != person.phone_index and not guardian_consented(
        uow, person.id
    ):
        errors["phone"] = [
            _l(
                "A child under 14: first record the guardian's consent under “Consents” on the child's page, "
                "then enter the phone (PIPL article 31)."
            )
        ]


__all__ = ["check_childs_phone"]
