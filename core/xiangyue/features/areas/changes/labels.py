"""What tables are called where their rows go along with an area."""

from __future__ import annotations

from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.imports.undo_words import record_label
from xiangyue.i18n import lazy_gettext as _l

TABLES: dict[str, Any] = {
    "public.household_member": _l("Members of households"),
    "public.person_mark": _l("Marks"),
    "public.household_income": _l("Yearly incomes"),
    "public.household_award": _l("Yearly awards"),
    "public.custom_value": _l("Values of the county's own fields"),
    "public.register_act": _l("Changes of the register"),
    "public.classification": _l("Classifications"),
    "public.grid_version": _l("Grids as of their days"),
    "public.grid_size_note": _l("Reasons for sizes of grids"),
    "public.grid_draft_part": _l("Grids of drafts"),
    "public.callout_answer": _l("Answers to calls"),
    "public.callout_household": _l("Households of calls"),
    "public.household_group_version": _l("Ten-household groups as of their days"),
}


def table_label(uow: Uow, name: str) -> str:
    """Words of ``schema.table``."""
    return str(TABLES.get(name) or record_label(uow, name))
