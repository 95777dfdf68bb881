"""Who is a near relative (近亲属) of whom, as far as the household register shows it.

Near relatives are spouse, parents, children, siblings, grandparents and grandchildren
(民法典第一千零四十五条第二款). The register says of each member of a household how he or she is related to its head
(GB/T 4761); how two members are related to each other follows from that, and not always with certainty: a child and a
grandchild of the head are parent and child, or uncle and nephew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from xiangyue.db.uow import Uow
from xiangyue.features.households.models import HouseholdMember
from xiangyue.i18n import lazy_gettext as _l

#: Later than any day.
_END = date.max
#: What two people are to each other: near relatives, perhaps near relatives, or neither.
CLEAR, DOUBT, NONE = "clear", "doubt", ""

LABELS: dict[str, Any] = {
    "spouses": _l("spouses"),
    "child": _l("parent and child"),
    "siblings": _l("siblings"),
    "grandchild": _l("grandparent and grandchild"),
    "in_laws": _l("relatives by marriage in one household"),
    "was_married": _l("once spouses in one household"),
    "unclear": _l("members of one household whose relation the register does not say"),
}

#: Relation to the head -> group of relations: head, spouse, child, step-child, a child's spouse, grandchild, …
_GROUPS: dict[str, tuple[str, ...]] = {
    "H": ("01", "02"),
    "S": ("10", "11", "12"),
    "C": ("20", "21", "22", "23", "24", "25", "26", "29", "30", "31", "32", "33", "34", "35", "36", "39"),
    "c": ("27", "37"),
    "I": ("28", "38"),
    "G": ("40", "41", "42", "43", "44", "49"),
    "i": ("45", "46"),
    "g": ("47", "48"),
    "P": ("50", "51", "52", "59"),
    "p": ("57", "58"),
    "Q": ("53", "54", "55", "56"),
    "A": ("60", "61", "62", "63", "64", "69"),
    "a": ("65",),
    "z": ("66", "67", "68"),
    "B": ("70", "71", "73", "75", "77", "79"),
    "b": ("72", "74", "76", "78"),
    #: Uncles, aunts, cousins, nephews and nieces; helpers and people not related: of the head no near relatives.
    "O": ("81", "82", "83", "84", "85", "86", "87", "88", "89", "90", "91", "92", "93", "94", "95", "96", "98", "99"),
}
_OF = {code: group for group, codes in _GROUPS.items() for code in codes}

#: Near relatives for certain, by the groups of both.
_CLEAR = {
    "HS": "spouses", "PP": "spouses", "QQ": "spouses",
    "HC": "child", "HP": "child", "SC": "child", "SQ": "child", "BP": "child",
    "HB": "siblings", "CC": "siblings", "BB": "siblings",
    "HG": "grandchild", "HA": "grandchild", "CP": "grandchild", "CQ": "grandchild", "SG": "grandchild",
    "BA": "grandchild", "Sa": "grandchild",
}  # fmt: skip
#: By marriage for certain: the law's list does not have them, rules of provinces often do.
_BY_MARRIAGE = ("HI", "SI", "HQ", "SP", "SB", "Hb", "Hi", "Si", "Ha", "SA", "PQ", "Pb")
#: Not near for certain.
_FAR = ("Hg", "Hz", "Cb", "BC", "GP", "GQ", "CA", "Ca", "HO", "SO")


@dataclass(frozen=True, slots=True)
class Kinship:
    """``verdict``: CLEAR or DOUBT; ``label``: a key of LABELS."""

    verdict: str
    label: str


def _both(pairs: Sequence[str]) -> frozenset[str]:
    return frozenset(pairs) | {pair[::-1] for pair in pairs}


_CLEAR_BOTH = {**_CLEAR, **{pair[::-1]: label for pair, label in _CLEAR.items()}}
_MARRIED_IN, _APART = _both(_BY_MARRIAGE), _both(_FAR)


def kinship(one: str, other: str, *, standing: bool = True) -> Kinship | None:
    """What two members of a household are to each other, by their relations to its head (GB/T 4761); None: no near
    relatives. ``standing``: both are members today, so that spouses are still married as far as is known."""
    pair = _OF.get(one, "?") + _OF.get(other, "?")
    if (label := _CLEAR_BOTH.get(pair)) is not None:
        if label == "spouses" and not standing:
            return Kinship(DOUBT, "was_married")
        return Kinship(CLEAR, label)
    if pair in _MARRIED_IN:
        return Kinship(DOUBT, "in_laws")
    if pair in _APART:
        return None
    return Kinship(DOUBT, "unclear")


def relatives_among(uow: Uow, person_id: int, others: Sequence[int]) -> dict[int, Kinship]:
    """Which of ``others`` are, or may be, near relatives of the person: by every household that both belonged to at the
    same time, the surest first."""
    if not others:
        return {}
    mine, theirs = aliased(HouseholdMember), aliased(HouseholdMember)
    together = and_(
        theirs.tenant_id == mine.tenant_id,
        theirs.household_id == mine.household_id,
        theirs.valid_from < func.coalesce(mine.valid_to, _END),
        mine.valid_from < func.coalesce(theirs.valid_to, _END),
    )
    statement = (
        select(theirs.person_id, mine.relation, theirs.relation, mine.valid_to, theirs.valid_to)
        .join(theirs, together)
        .where(mine.person_id == person_id, theirs.person_id.in_(others), theirs.person_id != person_id)
    )
    found: dict[int, Kinship] = {}
    with uow.tenant_wide("relatives may belong to a household elsewhere; only that they are is shown"):
        for other, own, its, until, its_until in uow.session.execute(statement):
            kin = kinship(own, its, standing=until is None and its_until is None)
            if kin is not None and (other not in found or kin.verdict == CLEAR):
                found[other] = kin
    return found
