"""At entry: who is registered already that this may be. Only inside the actor's area; nothing is told of others.

The same reasons and scores as those of the daily look through the register (``duplicates.policy``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.access.crypto import TenantKeys, blind_index
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.areas.queries import places
from xiangyue.features.duplicates import pairs, policy
from xiangyue.features.households.identifiers import ID_NUMBER
from xiangyue.features.households.models import Household, Person
from xiangyue.i18n import join_words
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.idnumber import check_digit, one_off
from xiangyue.text.pieces import plain
from xiangyue.text.pinyin import fold

# ruff: noqa: S608 - statements are put together from constants; values are always parameters

#: More are not looked at, nor shown.
MOST, SHOWN = 200, 5
#: Fields of a person whose change is looked at anew.
COMPARED = frozenset({"name", "birth_date", "id_number", "phone"})

_COLUMNS = (
    "p.id, p.name, p.household_id, p.area_code, p.birth_date, p.sex, p.relation, p.id_number_index, p.phone_index,"
    " h.code, h.address"
)
_BY_NAME = f"""
SELECT {_COLUMNS} FROM name_suffix n JOIN person p ON p.id = n.id JOIN household h ON h.id = p.household_id
 WHERE {{scope:n}} AND {{scope:p}} AND {{tenant:h}} AND n.suffix = :word AND p.name = :name AND p.state = 'active'
   AND (p.birth_date = CAST(:born AS date) OR p.area_code BETWEEN :village AND :village + 999)
 ORDER BY p.id LIMIT :most
"""
_BY_PHONE = f"""
SELECT {_COLUMNS} FROM person p JOIN household h ON h.id = p.household_id
 WHERE {{scope:p}} AND {{tenant:h}} AND p.phone_tail = :tail AND p.phone_index = :phone AND p.name = :name
   AND p.state <> 'merged' ORDER BY p.id LIMIT :most
"""
_BY_NUMBER = f"""
SELECT {_COLUMNS} FROM person p JOIN household h ON h.id = p.household_id
 WHERE {{scope:p}} AND {{tenant:h}} AND p.id_number_index = ANY(:numbers) AND p.state <> 'merged' ORDER BY p.id
"""


class LooksLike(Conflict):
    """Somebody is registered already who this may be: ``details["persons"]`` says who and why. Sent again with
    ``different`` it is taken."""

    code = "looks_like"
    told = ("persons",)


@dataclass(slots=True)
class Alike:
    """Somebody who may be the same, and why (keys of ``duplicates.policy.REASONS``)."""

    id: int
    name: str
    household_id: int
    household_code: str
    area_code: int
    score: int = 0
    reasons: set[str] = field(default_factory=set)
    place: str = ""

    def plain(self) -> dict[str, Any]:
        """For the API."""
        return {
            "person_id": self.id,
            "household_id": self.household_id,
            "name": self.name,
            "household_code": self.household_code,
            "place": self.place,
            "reasons": sorted(self.reasons),
        }


def number_candidates(keys: TenantKeys, number: str) -> list[bytes]:
    """Keyed hashes of the numbers this one may be a slip of, or that may be slips of it: one character apart, and one
    of the two with a right check digit. (Two right ones are never so near.)"""
    if not number:
        return []
    if check_digit(number[:17]) != number[17]:
        return [blind_index(keys, ID_NUMBER, meant) for meant in one_off(number)]
    slips = [
        number[:i] + other + number[i + 1 :]
        for i in range(18)
        for other in ("0123456789X" if i == 17 else "0123456789")
        if other != number[i]
    ]
    return [blind_index(keys, ID_NUMBER, slip) for slip in slips]


def alike(uow: Uow, keys: TenantKeys, person: Person, home: Household, *, id_number: str = "") -> list[Alike]:
    """Who in the actor's area ``person`` (as it stands in the session) may be, likeliest first. ``id_number``: the one
    that was typed, for slips."""
    village = home.area_code - home.area_code % 1000
    params = {"name": person.name, "word": fold(person.name), "born": person.birth_date, "village": village}
    rows = scoped_rows(uow.session, _BY_NAME, {**params, "most": MOST})
    if person.phone_index is not None:
        phone = {"tail": person.phone_tail, "phone": person.phone_index, "name": person.name, "most": MOST}
        rows += scoped_rows(uow.session, _BY_PHONE, phone)
    numbers = number_candidates(keys, id_number)
    slips = scoped_rows(uow.session, _BY_NUMBER, {"numbers": numbers}) if numbers else []
    found = {}
    near = {row[0] for row in slips}
    for row in [*rows, *slips]:
        one = _judged(row, person, home, slip=row[0] in near)
        if one.id != person.id and one.score >= policy.LEAST[policy.PERSON]:
            found[one.id] = one
    ranked = sorted(found.values(), key=lambda one: (-one.score, one.id))[:SHOWN]
    _name_places(uow, ranked)
    return ranked


def _judged(row: Sequence[Any], person: Person, home: Household, *, slip: bool) -> Alike:
    id, name, household, area, born, sex, relation, number, phone, code, address = row
    one = Alike(id, name, household, code, area)
    if slip:
        one.reasons.add("id_number")
    if name == person.name:
        if born is not None and born == person.birth_date:
            one.reasons.add("name_birth")
        if phone is not None and phone == person.phone_index:
            one.reasons.add("phone_name")
        same_place = area // 1000 == home.area_code // 1000 and address and plain(address) == plain(home.address)
        if household == home.id or (same_place and relation and relation == person.relation):
            one.reasons.add("name_address")
    one.score = policy.person_score(
        one.reasons,
        other_number=None not in (number, person.id_number_index) and number != person.id_number_index,
        other_birth=None not in (born, person.birth_date) and born != person.birth_date,
        other_sex=bool(sex and person.sex and sex != person.sex),
    )
    return one


def _name_places(uow: Uow, found: Collection[Alike]) -> None:
    known = places(uow, [one.area_code for one in found])
    for one in found:
        one.place = known.get(one.area_code, "")


def look_for_alike(
    uow: Uow, keys: TenantKeys, person: Person, home: Household, values: Mapping[str, Any], *, different: bool
) -> None:
    """Before a person is taken: raises LooksLike where somebody is registered already who this may be. ``different``:
    whoever enters it says that it is somebody else, which is kept, so that nobody is asked again."""
    with uow.session.no_autoflush:
        found = alike(uow, keys, person, home, id_number=str(values.get("id_number") or ""))
    if not found:
        return
    if not different:
        raise LooksLike(
            _l(
                "This may be somebody who is registered already: %(names)s. Look, and say that it is somebody else if "
                "so.",
                names=join_words(f"{one.name} ({one.place}, {one.household_code})" for one in found),
            ),
            persons=[one.plain() for one in found],
        )
    uow.session.flush()
    said = {(min(one.id, person.id), max(one.id, person.id)): (one.score, sorted(one.reasons)) for one in found}
    pairs.note_pairs(uow, policy.PERSON, said, state="different")
