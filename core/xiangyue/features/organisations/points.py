"""Where the feature comes into other pages and acts."""

from __future__ import annotations

from xiangyue.features.organisations.models import PostHolder
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import Follows

#: Two records that hold one post at once: the survivor's entry stays, the other is pointed out with the closed record.
FOLLOWS = Follows(
    "post_holder",
    _l("Posts in organisations"),
    "person",
    PostHolder,
    "person_id",
    open=PostHolder.valid_to.is_(None),
    unique=("post_id", "valid_to"),
)
