"""The public card of an organisation as a sheet of A3: what its page shows, and a QR code that leads there."""

from __future__ import annotations

from datetime import date

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.uow import Uow
from xiangyue.features.areas.queries import ancestor_codes, names
from xiangyue.features.organisations import holders, policy, queries
from xiangyue.features.organisations.models import Organisation
from xiangyue.files.poster import Line, Poster, write_posters
from xiangyue.files.workbook import Written
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale


@acts(policy.VIEW)
def print_card(uow: Uow, *, organisation: Organisation, county: str, url: str, orientation: str, on: date) -> Written:
    """The PDF, in Chinese whoever prints it; that it was printed is put into the audit trail. ``url``: of the card."""
    with in_locale("zh"):
        places = names(uow, ancestor_codes(organisation.area_code))
        above = [places[code] for code in ancestor_codes(organisation.area_code)[1:] if code in places]
        seats = holders.seats_on(uow, [organisation.id])[organisation.id]
        kind = queries.kind_of(uow, organisation.kind_key)
        begun, ends = organisation.term_from, organisation.term_until
        facts = [
            (_("Phone of the office"), organisation.card_phone),
            (_("Term"), f"{begun or '…'} – {ends or '…'}" if begun or ends else ""),
            (_("Made known under"), kind.source if kind is not None else ""),
        ]
        poster = Poster(
            kind=_("Public card"),
            place=" · ".join([county, *above]),
            name=organisation.name,
            url=url,
            url_caption=_("Scan to see who holds the posts now"),
            people_title=_("Posts and who holds them"),
            people=[
                Line(one.post.name, holding.name, strong=number == 0)
                for number, one in enumerate(seat for seat in seats if seat.holdings)
                for holding in one.holdings
            ],
            nobody=_("Nobody holds a post at present."),
            facts=[(label, value) for label, value in facts if value],
            text=organisation.card_text,
            foot=f"{county} · " + _("As on %(day)s", day=on.isoformat()),
        )
        written = write_posters([poster], title=f"{poster.kind} {organisation.name}", author=county,
                                orientation=orientation)  # fmt: skip
    audit(uow, action="organisation.print", obj=organisation, label=organisation.name)
    return written
