"""Rights and words about children and old people."""

from __future__ import annotations

from typing import Any

from xiangyue.access.permissions import Permission
from xiangyue.features.privacy.policy import GROUP
from xiangyue.i18n import lazy_gettext as _l

CARE_VIEW = Permission("care.view", _l("See carers, guardians and helpers"), group=GROUP)
CARE_EDIT = Permission("care.edit", _l("Record carers, guardians and helpers"), group=GROUP)

PERMISSIONS = (CARE_VIEW, CARE_EDIT)
_BOTH = frozenset({CARE_VIEW.name, CARE_EDIT.name})
ROLE_TEMPLATES = {
    "county_admin": _BOTH,
    "town": _BOTH,
    "village": _BOTH,
    "grid_leader": frozenset({CARE_VIEW.name}),
}
ACTIONS = {
    "person_care.edit": _l("Carers and helpers recorded"),
    "person_care.reveal": _l("Guardian's phone shown in full"),
    "care_referral.add": _l("Child referred to the children's director"),
    "care_referral.close": _l("Referral closed"),
}

#: A child is under 18; under 14 its data is sensitive and needs the guardian's consent (PIPL articles 28 and 31).
CHILD, YOUNG = 18, 14
OLD = 60

LEFT_BEHIND: dict[str, Any] = {
    "no": _l("No"),
    "one": _l("One parent is away"),
    "both": _l("Both parents are away, or one is and the other cannot care"),
}
CONSENTS: dict[str, Any] = {
    "paper": _l("Signed on paper, kept at the village"),
    "spoken": _l("Spoken, before a witness"),
}

#: What the list of persons can be narrowed to; those that need the right to see carers come behind.
LIVING: dict[str, Any] = {
    "alone_60": _l("Living alone, 60 or older"),
    "alone_70": _l("Living alone, 70 or older"),
    "alone_80": _l("Living alone, 80 or older"),
    "old_only": _l("Only people of 60 or older in the household"),
    "no_phone": _l("60 or older without a phone"),
}
CARED: dict[str, Any] = {
    "no_helper": _l("60 or older without phone and helper"),
    "no_carer": _l("Child without a carer on record"),
    "left_behind": _l("Left-behind child"),
    "no_consent": _l("Child under 14 with a phone, without the guardian's consent"),
    "referred": _l("Referred to the children's director"),
}
#: What the list of households can be narrowed to.
ELDERS: dict[str, Any] = {
    "alone_60": _l("Alone at 60 or older"),
    "alone_70": _l("Alone at 70 or older"),
    "alone_80": _l("Alone at 80 or older"),
    "old_only": _l("Only people of 60 or older"),
}
NAME_LENGTH, NOTE_LENGTH, REASON_LENGTH = 50, 500, 500

#: Fields of the form, as the form and the comparison of two savings name them.
LABELS: dict[str, Any] = {
    "carer_name": _l("Who looks after the child day by day"),
    "carer_relation": _l("Relation of the carer to the child"),
    "left_behind": _l("Left behind"),
    "guardian_name": _l("Guardian by law"),
    "guardian_relation": _l("Relation of the guardian to the child"),
    "consent_on": _l("Guardian consented on"),
    "consent_how": _l("How the guardian consented"),
    "helper_name": _l("Who acts on the person's behalf"),
    "helper_relation": _l("Relation of the helper to the person"),
    "note": _l("Note"),
}
