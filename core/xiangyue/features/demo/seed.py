"""Fills a demonstration: accounts, a synthetic roster taken in by the import as a county would do it, and awards."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import select

from xiangyue.errors import XiangyueError
from xiangyue.features.demo import grids, groups, maps
from xiangyue.features.demo.accounts import ensure_accounts
from xiangyue.features.demo.awards import give_awards
from xiangyue.features.demo.leaders import fill_leaders
from xiangyue.features.demo.organisations import fill_organisations
from xiangyue.features.households.models import Household
from xiangyue.features.imports import inline
from xiangyue.features.imports.commands import make_roster
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.runtime import Runtime

#: The county whose register is filled; the others come aboard empty.
COUNTY = "hanyin"
SEED = 321


def seed(runtime: Runtime, households: int, *, watch: inline.Watch | None = None) -> int:
    """Make the demo accounts that are missing and, in a county without any household, the roster.

    Returns how many households were taken in: none the second time, or with ``households`` 0. Raises XiangyueError
    when the county is not aboard or the roster does not go in.
    """
    ensure_accounts(runtime)
    tenant = runtime.directory.by_slug(COUNTY)
    if tenant is None:
        raise XiangyueError(f"{COUNTY} is not aboard; apply its profile first")
    with runtime.uow(tenant.id) as uow:
        filled = uow.session.scalars(select(Household.id).limit(1)).one_or_none() is not None
    if filled or not households:
        return 0
    with tempfile.TemporaryDirectory() as folder, in_locale(tenant.locale):
        path = Path(folder) / f"{_('Demonstration roster')}.xlsx"
        make_roster(runtime, tenant, path, households=households, seed=SEED)
        outcome = inline.import_roster(
            runtime,
            tenant,
            path,
            source=_("Made up for the demonstration"),
            purpose=_("To show what the software does"),
            watch=watch,
        )
    if outcome.state != "committed":
        raise XiangyueError(f"the demonstration roster was not taken in: {outcome.counts} {outcome.problem}")
    with in_locale(tenant.locale), runtime.uow(tenant.id) as uow:
        give_awards(uow, seed=SEED)
        fill_organisations(uow, seed=SEED)
        villages = grids.villages_with_households(uow)
    for village in villages:
        with in_locale(tenant.locale), runtime.uow(tenant.id) as uow:
            grids.divide(uow, village)
            if village == groups.VILLAGE:
                groups.fill_groups(uow, village)
    with in_locale(tenant.locale), runtime.uow(tenant.id) as uow:
        fill_leaders(uow)
        mapped = maps.VILLAGE if maps.VILLAGE in villages else villages[0]
        maps.draw(uow, mapped)
        maps.locate(uow, mapped)
    return int(outcome.counts["written"]["households_new"])
