"""Every kind of act and what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households.models import RegisterAct
from xiangyue.features.households.register import homes, persons
from xiangyue.features.households.register.asked import Asked
from xiangyue.i18n import lazy_gettext as _l

_ACTS: Mapping[str, Callable[[Uow, Asked], RegisterAct]] = {
    "birth": persons.birth,
    "move_in": persons.move_in,
    "move": persons.move,
    "move_out": persons.move_out,
    "leave": persons.leave,
    "return": persons.come_back,
    "death": persons.death,
    "head_change": homes.change_head,
    "split": homes.split,
    "merge": homes.merge,
    "close": homes.close,
    "reopen": homes.reopen,
}


def carry_out(uow: Uow, asked: Asked) -> RegisterAct:
    """Check an act and do it. Raises Invalid by field, Conflict, NotFound, Refused."""
    if asked.kind not in _ACTS:
        raise Invalid({"kind": [_l("Choose one of the options.")]})
    return _ACTS[asked.kind](uow, asked)
