"""The public card of an organisation: names and posts, for everybody who has its address."""

from __future__ import annotations

import uuid
from typing import Any

import segno
from flask import request, url_for
from sqlalchemy import select

from xiangyue.errors import NotFound
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import card_sheet, holders, policy, queries, view
from xiangyue.features.organisations.models import Organisation
from xiangyue.features.organisations.pages import bp
from xiangyue.files.poster import LANDSCAPE, ORIENTATIONS
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.web.access import public, requires
from xiangyue.web.downloads import send_written
from xiangyue.web.pipeline import current_tenant, current_uow
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
            qr=segno.make(_address(token), error="m").svg_data_uri(scale=5),
        )


@bp.get("/organisations/<int:id>/card.pdf")
@requires(policy.VIEW)
def print_card(id: int) -> Any:
    """The open card as a sheet of A3 (``?orientation=portrait``)."""
    uow = current_uow()
    row = uow.get(Organisation, id)
    if row.card_token is None or row.dissolved_on is not None:
        raise NotFound(_l("There is no such page."))
    asked = request.args.get("orientation", "")
    written = card_sheet.print_card(
        uow, organisation=row, county=current_tenant().name, url=_address(row.card_token),
        orientation=asked if asked in ORIENTATIONS else LANDSCAPE, on=today(),
    )  # fmt: skip
    return send_written(written, f"{row.name}-{today().isoformat()}")


def _address(token: uuid.UUID) -> str:
    return url_for("organisations.card", token=token, _external=True)
