"""Steps that acts on organisations share: the rows they work on, locked, and still there."""

from __future__ import annotations

from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Stale
from xiangyue.features.organisations import queries
from xiangyue.features.organisations.models import Organisation, Post
from xiangyue.i18n import lazy_gettext as _l

ORGANISATION_COLUMNS = (
    "name", "parent_id", "founded_on", "term_years", "term_from", "term_until", "registration_code", "card_text",
    "card_phone", "note",
)  # fmt: skip
POST_COLUMNS = ("name", "name_en", "seats_min", "seats_max", "lead")


def locked(uow: Uow, id: int, version: int) -> Organisation:
    """The organisation, locked. Raises NotFound, Stale."""
    organisation = uow.get_for_update(Organisation, id)
    if organisation.version != version:
        theirs = {name: getattr(organisation, name) for name in ORGANISATION_COLUMNS}
        raise Stale(
            _l("Somebody else has saved this in the meantime."), theirs={**theirs, "version": organisation.version}
        )
    return organisation


def refuse_dissolved(organisation: Organisation) -> None:
    """Raises Conflict for one that is no more."""
    if organisation.dissolved_on is not None:
        raise Conflict(
            _l(
                "%(name)s was dissolved on %(day)s. If that is a mistake, take it back first.",
                name=organisation.name,
                day=organisation.dissolved_on.isoformat(),
            )
        )


def lock_post(uow: Uow, id: int, version: int | None = None) -> tuple[Post, Organisation]:
    """A post, locked. Raises NotFound, Stale."""
    post, organisation = queries.get_post(uow, id, lock=True)
    if version is not None and post.version != version:
        theirs = {name: getattr(post, name) for name in POST_COLUMNS}
        raise Stale(_l("Somebody else has saved this in the meantime."), theirs={**theirs, "version": post.version})
    return post, organisation
