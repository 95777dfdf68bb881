"""The public card of an organisation: names and posts, for everybody who has its address."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select

from xiangyue.errors import NotFound
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import holders, queries, view
from xiangyue.features.organisations.models import Organisation
from xiangyue.features.organisations.pages import bp
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import public
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import page


@bp.get("/public/organisations/<uuid:token>")
@public
def card(token: uuid.UUID) -> Any:
    """No phone, no age, nothing of a person but the name and the post."""
    uow = current_uow()
    with uow.tenant_wide("whoever has the address of a public card may read it"):
        row = uow.session.scalars(select(Organisation).where(Organisation.card_token == token)).one_or_none()
        if row is None or row.dissolved_on is not None:
            raise NotFound(_l("There is no such page."))
        seats = holders.seats_on(uow, [row.id])[row.id]
        kind = queries.kind_of(uow, row.kind_key)
        return page(
            "organisations/card.html",
            row=row,
            seats=[one for one in seats if one.holdings],
            kind=kind,
            place=view.area_name(uow, row.area_code),
            today=today(),
        )
