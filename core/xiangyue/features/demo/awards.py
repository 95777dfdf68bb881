"""Yearly awards for the demonstration's households, so that whatever looks at them has something to look at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import AwardKind, Household
from xiangyue.features.households.person_input import today
from xiangyue.features.households.service_awards import record_awards
from xiangyue.i18n import gettext as _

#: (share of households, records of the last rated year and the two before; None: nothing is on record).
PATTERNS: tuple[tuple[float, tuple[bool | None, ...]], ...] = (
    (0.30, (True, True, True)),
    (0.32, (False, False, False)),
    (0.12, (True, True, False)),
    (0.10, (False, True, True)),
    (0.08, (False, False, True)),
    (0.08, (None, None, None)),
)


def give_awards(uow: Uow, *, seed: int) -> int:
    """Records of three years for every household and kind of award of the county; the same seed gives the same.
    Returns how many were written."""
    homes = uow.session.scalars(select(Household.id).order_by(Household.code)).all()
    last, written = today().year - 1, 0
    for key in uow.session.scalars(select(AwardKind.key).where(AwardKind.active).order_by(AwardKind.key)).all():
        rows = _records(homes, last, random.Random(f"{seed} {key}"))  # noqa: S311 - made up on purpose
        written += record_awards(uow, key=key, rows=rows, source=_("Made up for the demonstration"))
    return written


def _records(homes: Sequence[int], last: int, rng: random.Random) -> Iterator[tuple[int, int, bool]]:
    shares = [share for share, _pattern in PATTERNS]
    patterns = [pattern for _share, pattern in PATTERNS]
    for home in homes:
        for back, awarded in enumerate(rng.choices(patterns, shares)[0]):
            if awarded is not None:
                yield home, last - back, awarded
