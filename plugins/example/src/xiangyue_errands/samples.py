"""Rows to try the plugin's pages with: the conformance kit lays them for households that it made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xiangyue.sdk.db import Uow
from xiangyue_errands import service


def lay(uow: Uow, household_ids: Sequence[int]) -> dict[str, Any]:
    """An errand for each household; values for the variables of the addresses, those of the last one."""
    found = [service.open_errand(uow, household_id=id, kind="payment", title="Pay the fee") for id in household_ids]
    uow.session.flush()
    return {"id": found[-1].id}
