"""Export of exactly the list of accounts: who works with the system, with which rights where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from xiangyue.db.uow import Uow
from xiangyue.features.accounts import policy
from xiangyue.features.accounts.pages import bp
from xiangyue.features.accounts.pages.accounts import Listing, listing
from xiangyue.features.accounts.pages.common import STATE_LABELS
from xiangyue.features.accounts.queries.accounts import AccountRow, Order, find_accounts
from xiangyue.features.accounts.service.accounts import note_export
from xiangyue.i18n import gettext as _
from xiangyue.i18n import pick
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow

STEP = 500


@bp.route("/accounts/export", methods=["GET", "POST"])
@requires(policy.ACCOUNT_VIEW)
def export() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow, asked = current_uow(), listing()

    def cells() -> Iterator[list[Any]]:
        for row in _each(uow, asked):
            yield [_cell(column.key, row) for column in asked.view.visible]

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken))

    return export_list(
        asked.view,
        title=_("Export accounts"),
        of=_("Accounts"),
        back=asked.view.url(),
        cells=cells,
        note=note,
    )


def _each(uow: Uow, asked: Listing) -> Iterator[AccountRow]:
    key, descending = asked.view.sort
    after = None
    while True:
        found = find_accounts(uow, asked.filter, Order(key, descending, after=after, limit=STEP))
        yield from found.rows
        after = found.next
        if after is None:
            return


def _cell(column: str, row: AccountRow) -> Any:
    account = row.account
    made: dict[str, Any] = {
        "name": account.name,
        "login": account.login,
        "post": account.post,
        "roles": "\n".join(
            f"{pick(grant.name, grant.name_en)} · {grant.area.path if grant.area.code else _('the whole site')}"
            for grant in row.grants
        )
        or _("no role"),
        "state": str(STATE_LABELS[row.state]),
        "second_factor": _("Turned on") if account.totp_confirmed_at else _("Not turned on"),
        "last_sign_in_at": account.last_sign_in_at,
    }
    return made[column]
