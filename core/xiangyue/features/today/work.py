"""Work of the whole county that no feature owns: invitations nobody followed."""

from __future__ import annotations

from xiangyue.db.uow import Uow
from xiangyue.features.accounts.policy import ACCOUNT_MANAGE
from xiangyue.features.today import queries
from xiangyue.i18n import gettext as _
from xiangyue.i18n import ngettext
from xiangyue.plugin.registry import WorkItem, WorkProvider


def find_unused_accounts(uow: Uow) -> list[WorkItem]:
    """For those who manage all accounts: invitations that ran out unused, in one line."""
    if uow.actor.kind == "system" or uow.actor.ranges(ACCOUNT_MANAGE) is not None:
        return []
    number = queries.unused_accounts(uow)
    if not number:
        return []
    title = ngettext("%(n)d invitation ran out", "%(n)d invitations ran out", number)
    detail = _("Nobody set a password by the one-time link. Give a new link, or disable the account.")
    return [WorkItem(title, detail, "/accounts?state=invited", _("Look"))]


PROVIDER = WorkProvider("today.invitations", find_unused_accounts)
