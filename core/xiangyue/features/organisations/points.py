"""Where the feature comes into other pages and acts: a person's page, the work list, search, merging of records."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.organisations import policy, queries, view
from xiangyue.features.organisations.models import PostHolder
from xiangyue.features.organisations.queries_person import posts_of_person
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows, PanelView, PersonPanel, SearchHit, SearchKind, WorkItem, WorkProvider

#: Lines of the work list.
MOST = 20

#: Two records that hold one post at once: the survivor's entry stays, the other is pointed out with the closed record.
FOLLOWS = Follows(
    "post_holder",
    _l("Posts in organisations"),
    "person",
    PostHolder,
    "person_id",
    open=PostHolder.valid_to.is_(None),
    unique=("post_id", "valid_to"),
    # Papers of elections and terms are the village's archive (村民委员会组织法第三十四条); without the name they stay.
    erase={},
)


def _panel(uow: Uow, person_id: int) -> PanelView | None:
    items = posts_of_person(uow, person_id)
    if not items:
        return None
    return PanelView("organisations/person.html", {"items": items, "show": view, "policy": policy})


PANEL = PersonPanel("organisation_posts", _l("Posts in organisations"), policy.VIEW, _panel, position=40)


def find_work(uow: Uow) -> list[WorkItem]:
    """Holders who died or moved away, terms that are over or end soon, in the area where one may record it."""
    if uow.actor.kind == "system" or not uow.actor.can(policy.EDIT):
        return []
    found: list[WorkItem] = []
    with uow.scoped(uow.scope.within(uow.actor.scope(policy.EDIT))):
        gone = queries.list_organisations(uow, queries.OrganisationFilter(open="gone"), limit=MOST)
        for line in view.lines(uow, gone.rows):
            for one in line.gone:
                found.append(
                    WorkItem(
                        title=_("%(name)s still holds a post of %(organisation)s", name=one.name,
                                organisation=line.row.name),
                        detail=view.GONE[one.gone],
                        url=url_for("organisations.show_holder", id=one.id),
                        act=_("End the term"),
                        due=one.who.left_on.isoformat() if one.who is not None and one.who.left_on else "",
                        state="late",
                    )
                )  # fmt: skip
        for term, state in (("late", "late"), ("soon", "soon")):
            wanted = queries.OrganisationFilter(term=term)
            page = queries.list_organisations(uow, wanted, sort="term", limit=MOST)
            for line in view.lines(uow, page.rows):
                found.append(
                    WorkItem(
                        title=_("Term of %(organisation)s", organisation=line.row.name),
                        detail=line.area,
                        url=url_for("organisations.election_form", id=line.id),
                        act=_("Record the new term"),
                        due=line.term[0],
                        state=state,
                    )
                )
    return found[:MOST]


WORK = WorkProvider("organisations.terms", find_work)


def _find(uow: Uow, q: str, limit: int) -> Sequence[SearchHit]:
    page = queries.list_organisations(uow, queries.OrganisationFilter(q=q), sort="name", limit=limit)
    return [
        SearchHit(line.row.name, f"{line.kind} · {line.area}", url_for("organisations.show_organisation", id=line.id))
        for line in view.lines(uow, page.rows)
    ]


SEARCH = SearchKind("organisations", _l("Organisations"), policy.VIEW, _find)
