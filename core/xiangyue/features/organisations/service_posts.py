"""Writes on the posts of an organisation: their names and seats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit, changed
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations import inputs, policy
from xiangyue.features.organisations.checks import holders_of_post, refuse
from xiangyue.features.organisations.models import Organisation, Post, PostHolder
from xiangyue.features.organisations.steps import POST_COLUMNS, lock_post, refuse_dissolved
from xiangyue.i18n import lazy_gettext as _l


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    errors: dict[str, list[Any]] = {}
    found: dict[str, Any] = {
        "name": inputs.words(values, "name", policy.NAME_LENGTH, errors, required=True),
        "name_en": inputs.words(values, "name_en", policy.NAME_LENGTH, errors),
        "seats_min": inputs.whole(values, "seats_min", errors, most=policy.MOST_SEATS) or 0,
        "seats_max": inputs.whole(values, "seats_max", errors, least=1, most=policy.MOST_SEATS),
        "lead": values.get("lead") in (True, "1", "true", "on"),
    }
    if found["seats_max"] is not None and found["seats_max"] < found["seats_min"]:
        errors["seats_max"] = [_l("Fewer seats than must be taken.")]
    refuse(errors)
    return found


@acts(policy.EDIT)
def add_post(uow: Uow, *, organisation_id: int, values: Mapping[str, Any]) -> Post:
    """Another post of the organisation's own. Raises NotFound, Invalid by field, Conflict (dissolved)."""
    organisation = uow.get_for_update(Organisation, organisation_id)
    refuse_dissolved(organisation)
    found = _clean(values)
    _check_name(uow, organisation_id, found["name"])
    statement = select(func.max(Post.position), func.max(Post.id)).where(Post.organisation_id == organisation_id)
    place, last = uow.session.execute(statement).one()
    post = Post(organisation_id=organisation_id, key=f"own_{(last or 0) + 1}", position=(place or 0) + 1, **found)
    uow.session.add(post)
    uow.session.flush()
    audit(
        uow,
        action="post.add",
        obj=post,
        label=_label(organisation, post),
        area_code=organisation.area_code,
        after=found,
    )
    return post


@acts(policy.EDIT)
def edit_post(uow: Uow, *, id: int, version: int, values: Mapping[str, Any]) -> Post:
    """Another name, or more or fewer seats; what is left out stays. Raises NotFound, Stale, Invalid: not fewer seats
    than are or will be taken."""
    post, organisation = lock_post(uow, id, version)
    before = {name: getattr(post, name) for name in POST_COLUMNS}
    found = _clean({**before, **values})
    _check_name(uow, post.organisation_id, found["name"], but=id)
    rows = [row for row in holders_of_post(uow, id) if row.valid_to is None or row.valid_to > today()]
    most = max((row.seat for row in rows), default=0)
    if found["seats_max"] is not None and found["seats_max"] < most:
        text = _l("%(n)s people hold it or will. End a term first.", n=most)
        raise Invalid({"seats_max": [text]})
    old, new = changed(before, found)
    if new:
        for name, value in new.items():
            setattr(post, name, value)
        post.version += 1
        audit(uow, action="post.edit", obj=post, label=_label(organisation, post), area_code=organisation.area_code,
              before=old, after=new)  # fmt: skip
        uow.session.flush()
    return post


@acts(policy.EDIT)
def close_post(uow: Uow, *, id: int, version: int) -> Post:
    """Nobody takes it up any more; who held it stays in the history. Raises NotFound, Stale, Conflict while somebody
    holds it or will."""
    post, organisation = lock_post(uow, id, version)
    if not post.active:
        return post
    standing = select(PostHolder.id).where(
        PostHolder.post_id == id, (PostHolder.valid_to.is_(None)) | (PostHolder.valid_to > today())
    )
    if uow.session.scalars(standing).first() is not None:
        raise Conflict(_l("Somebody holds this post. End the term first."))
    post.active = False
    post.version += 1
    audit(uow, action="post.close", obj=post, label=_label(organisation, post), area_code=organisation.area_code)
    uow.session.flush()
    return post


def _check_name(uow: Uow, organisation_id: int, name: str, *, but: int = 0) -> None:
    same = select(Post.id).where(
        Post.organisation_id == organisation_id, Post.name == name, Post.active.is_(True), Post.id != but
    )
    if uow.session.scalars(same).first() is not None:
        raise Invalid({"name": [_l("The organisation has a post of this name already.")]})


def _label(organisation: Organisation, post: Post) -> str:
    return f"{organisation.name} {post.name}"
