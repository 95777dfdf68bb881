"""What a member is to the new head of a household, from what both were to the former one (GB/T 4761-2008).

Usual families only: a suggestion for the clerk. Where the codes leave more than one answer there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from xiangyue.text.codes import HEAD

MALE, FEMALE = 1, 2
_SPOUSE = frozenset({"10", "11", "12"})
_SONS = frozenset({"20", "21", "22", "23", "24", "25", "26", "29"})
_DAUGHTERS = frozenset({"30", "31", "32", "33", "34", "35", "36", "39"})
_CHILDREN = _SONS | _DAUGHTERS
_SIBLINGS = frozenset({"70", "71", "73", "75", "77"})
_ELDER, _YOUNGER = frozenset({"71", "75"}), frozenset({"73", "77"})
#: Sibling -> his or her spouse.
_MARRIED = {"71": "72", "73": "74", "75": "76", "77": "78"}
#: What nobody's change of head changes.
_APART = frozenset({"98", "99"})
_SEX = {
    **dict.fromkeys(("11", "28", "51", "53", "55", "61", "63", "71", "73", "41", "43", *_SONS), MALE),
    **dict.fromkeys(("12", "38", "52", "54", "56", "62", "64", "75", "77", "42", "44", *_DAUGHTERS), FEMALE),
}


@dataclass(frozen=True, slots=True)
class Kin:
    """A member. ``relation``: to the former head; ``sex``: 1 male, 2 female, 0 unknown."""

    id: int
    relation: str
    sex: int = 0
    born: date | None = None


def suggested_relations(members: Sequence[Kin], new_head: int) -> dict[int, str]:
    """Code of each other member's relation to the new head; "" where it cannot be derived."""
    by_id = {member.id: member for member in members}
    family = _Family(members, by_id[new_head])
    return {member.id: family.of(member) for member in members if member.id != new_head}


def _sex(member: Kin) -> int:
    return member.sex or _SEX.get(member.relation, 0)


def _by_sex(member: Kin, male: str, female: str, unknown: str = "") -> str:
    return {MALE: male, FEMALE: female}.get(_sex(member), unknown)


class _Family:
    def __init__(self, members: Sequence[Kin], head: Kin) -> None:
        self.members, self.new = members, head
        self.old = next((member for member in members if member.relation == HEAD), None)

    def of(self, member: Kin) -> str:
        relation, new = member.relation, self.new.relation
        if relation in _APART:
            return relation
        if new in _SPOUSE:
            return self._to_spouse(member)
        if new in _CHILDREN:
            return self._to_child(member)
        if new in ("51", "52"):
            return self._to_parent(member)
        if new in ("41", "42", "43", "44"):
            return self._to_grandchild(member)
        if new in _SIBLINGS:
            return self._to_sibling(member)
        if new in ("28", "38"):
            return self._to_child_in_law(member)
        return ""

    def _only(self, codes: frozenset[str] | set[str]) -> bool:
        """Whether exactly one member has one of these relations."""
        return sum(member.relation in codes for member in self.members) == 1

    def _to_spouse(self, member: Kin) -> str:
        relation, woman = member.relation, _sex(self.new)
        if relation == HEAD:
            return _by_sex(member, "11", "12", "10")
        if relation in _CHILDREN or relation in ("28", "38", "40", "41", "42", "43", "44", "45", "46", "47", "48"):
            return relation
        if relation in ("51", "52"):
            parents: Mapping[int, Mapping[str, str]] = {
                FEMALE: {"51": "53", "52": "54"},
                MALE: {"51": "55", "52": "56"},
            }
            return parents.get(woman, {}).get(relation, "")
        own = {"53": "51", "54": "52", "55": "51", "56": "52"}
        return own.get(relation, "")

    def _to_child(self, member: Kin) -> str:
        relation, head = member.relation, self.old
        man = _sex(self.new) == MALE
        if relation == HEAD:
            return _by_sex(member, "51", "52", "50")
        if relation in _SPOUSE:
            return _by_sex(member, "51", "52", "50")
        if relation in _CHILDREN:
            return self._sibling(member)
        # Who is whose among several married children nobody can tell.
        alone = self._only(_SONS if man else _DAUGHTERS)
        if relation == "38":
            return "12" if man and alone and self._only({"38"}) else ""
        if relation == "28":
            return "11" if not man and alone and self._only({"28"}) else ""
        if relation in ("41", "42", "43", "44"):
            of_son, boy = relation in ("41", "42"), relation in ("41", "43")
            if of_son == man:
                return ("20" if boy else "30") if alone else ""
            return ("95" if boy else "96") if man else ("93" if boy else "94")
        if head is None or not _sex(head):
            return ""
        return _OF_FATHER.get(relation, "") if _sex(head) == MALE else _OF_MOTHER.get(relation, "")

    def _to_parent(self, member: Kin) -> str:
        relation, head = member.relation, self.old
        if relation == HEAD:
            return _by_sex(member, "20", "30")
        if relation in ("51", "52"):
            return "11" if relation == "51" else "12"
        if relation in _SPOUSE:
            return _by_sex(member, "28", "38")
        if relation in _SIBLINGS:
            return _by_sex(member, "20", "30")
        if relation in _CHILDREN and head is not None:
            sons, daughters = {MALE: ("41", "42"), FEMALE: ("43", "44")}.get(_sex(head), ("", ""))
            return sons if relation in _SONS else daughters
        father = self.new.relation == "51"
        above = {"61": "51", "62": "52"} if father else {"63": "51", "64": "52"}
        spouses = {"63": "55", "64": "56"} if father else {"61": "53", "62": "54"}
        down = {"72": "38", "74": "38", "76": "28", "78": "28", "38": "45", "28": "46", "41": "47", "43": "47",
                "42": "48", "44": "48"}  # fmt: skip
        return {**above, **spouses, **down}.get(relation, "")

    def _to_grandchild(self, member: Kin) -> str:
        relation = member.relation
        of_son = self.new.relation in ("41", "42")
        if relation == HEAD or relation in _SPOUSE:
            return _by_sex(member, "61", "62", "60") if of_son else _by_sex(member, "63", "64", "60")
        between = _SONS if of_son else _DAUGHTERS
        if relation in between and self._only(between):
            return "51" if of_son else "52"
        in_law = "38" if of_son else "28"
        if relation == in_law and self._only(between) and self._only({in_law}):
            return "52" if of_son else "51"
        return ""

    def _to_sibling(self, member: Kin) -> str:
        relation, head, new = member.relation, self.old, self.new.relation
        if relation == HEAD:
            if new in _ELDER:
                return _by_sex(member, "73", "77", "70")
            return _by_sex(member, "71", "75", "70") if new in _YOUNGER else self._sibling(member)
        if relation in ("50", "51", "52", "60", "61", "62", "63", "64"):
            return relation
        if relation in _SIBLINGS:
            return self._sibling(member)
        if relation == _MARRIED.get(new) and self._only({new}) and self._only({relation}):
            return "12" if new in ("71", "73") else "11"
        man = _sex(head) if head is not None else 0
        if relation in _CHILDREN and man:
            sons, daughters = ("93", "94") if man == MALE else ("95", "96")
            return sons if relation in _SONS else daughters
        if relation in _SPOUSE and man and new in _ELDER | _YOUNGER:
            # The former head is the younger one where the new one is the elder.
            return {MALE: ("74", "72"), FEMALE: ("78", "76")}[man][new in _YOUNGER]
        return ""

    def _to_child_in_law(self, member: Kin) -> str:
        relation, wife = member.relation, self.new.relation == "38"
        if relation == HEAD or relation in _SPOUSE:
            return _by_sex(member, "53", "54") if wife else _by_sex(member, "55", "56")
        married = _SONS if wife else _DAUGHTERS
        if not (self._only(married) and self._only({self.new.relation})):
            return ""
        if relation in married:
            return "11" if wife else "12"
        own = {"41": "20", "42": "30"} if wife else {"43": "20", "44": "30"}
        return own.get(relation, "")

    def _sibling(self, member: Kin) -> str:
        """By who was born first; 70 where that is not known, or in one day."""
        mine, theirs = self.new.born, member.born
        if mine is None or theirs is None or mine == theirs:
            return "70"
        return _by_sex(member, "71", "75", "70") if theirs < mine else _by_sex(member, "73", "77", "70")


#: To the child of a man, and of a woman, who was the head.
_OF_FATHER = {
    "51": "61", "52": "62", "55": "63", "56": "64", "71": "81", "72": "82", "73": "83", "74": "84", "75": "90",
    "77": "90", "76": "89", "78": "89",
}  # fmt: skip
_OF_MOTHER = {
    "51": "63", "52": "64", "53": "61", "54": "62", "71": "85", "73": "85", "72": "86", "74": "86", "75": "88",
    "77": "88", "76": "87", "78": "87",
}  # fmt: skip
