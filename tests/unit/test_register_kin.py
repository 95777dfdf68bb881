"""What everybody is to a new head, from what they were to the former one; what cannot be told stays empty."""

from __future__ import annotations

from datetime import date

import pytest

from xiangyue.features.households.register.kin import Kin, suggested_relations
from xiangyue.text.codes import HEAD, RELATIONS

MAN, WOMAN = 1, 2


def family(*members: tuple[str, int, int]) -> list[Kin]:
    """(relation, sex, year of birth) each; the first is the head."""
    return [Kin(n, code, sex, date(born, 1, 1) if born else None) for n, (code, sex, born) in enumerate(members)]


OLD = family(
    (HEAD, MAN, 1950), ("12", WOMAN, 1952), ("20", MAN, 1975), ("38", WOMAN, 1977), ("41", MAN, 2000),
    ("42", WOMAN, 2003), ("30", WOMAN, 1980), ("51", MAN, 1925), ("52", WOMAN, 1927),
)  # fmt: skip


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        # His wife: her husband, her children and theirs stay what they are; his parents are her husband's.
        (1, {0: "11", 2: "20", 3: "38", 4: "41", 5: "42", 6: "30", 7: "53", 8: "54"}),
        # The son: father, mother, wife, son, daughter, younger sister, grandparents.
        (2, {0: "51", 1: "52", 3: "12", 4: "20", 5: "30", 6: "77", 7: "61", 8: "62"}),
        # The daughter: her brother's wife cannot be told from codes; his children are her brother's.
        (6, {0: "51", 1: "52", 2: "71", 3: "", 4: "93", 5: "94", 7: "61", 8: "62"}),
        # The daughter-in-law.
        (3, {0: "53", 1: "54", 2: "11", 4: "20", 5: "30", 6: "", 7: "", 8: ""}),
        # The grandson: his sister might as well be a cousin.
        (4, {0: "61", 1: "62", 2: "51", 3: "52", 5: "", 6: "", 7: "", 8: ""}),
        # The father.
        (7, {0: "20", 1: "38", 2: "41", 3: "45", 4: "47", 5: "48", 6: "42", 8: "12"}),
    ],
)
def test_a_usual_family(new: int, expected: dict[int, str]) -> None:
    assert suggested_relations(OLD, new) == expected


def test_among_several_sons_nobody_knows_whose_wife_and_child() -> None:
    two = family((HEAD, MAN, 1950), ("22", MAN, 1975), ("23", MAN, 1978), ("38", WOMAN, 1977), ("41", MAN, 2000))
    assert suggested_relations(two, 1) == {0: "51", 2: "73", 3: "", 4: ""}


def test_siblings_share_parents_and_their_children_are_nephews() -> None:
    found = suggested_relations(
        family((HEAD, WOMAN, 1960), ("73", MAN, 1965), ("74", WOMAN, 1966), ("75", WOMAN, 1955), ("51", MAN, 1930),
               ("20", MAN, 1990), ("11", MAN, 1958)),
        1,
    )  # fmt: skip
    assert found == {0: "75", 2: "12", 3: "75", 4: "51", 5: "95", 6: "76"}


def test_step_and_adopted_children_and_strangers_are_not_guessed() -> None:
    mixed = family((HEAD, MAN, 1950), ("12", WOMAN, 1952), ("27", MAN, 1980), ("98", WOMAN, 1990), ("99", MAN, 1990))
    assert suggested_relations(mixed, 1) == {0: "11", 2: "", 3: "98", 4: "99"}
    assert suggested_relations(mixed, 2) == {0: "", 1: "", 3: "98", 4: "99"}


def test_without_a_day_of_birth_a_sibling_is_a_sibling() -> None:
    assert suggested_relations(family((HEAD, MAN, 1950), ("20", MAN, 0), ("30", WOMAN, 1980)), 1)[2] == "70"


def test_only_known_codes_come_out_and_never_a_head() -> None:
    codes = {code.code for code in RELATIONS}
    for relation in codes - {HEAD}:
        for sex in (0, MAN, WOMAN):
            members = [Kin(0, HEAD, MAN), Kin(1, relation, sex), *(Kin(n, c) for n, c in enumerate(sorted(codes), 2))]
            assert set(suggested_relations(members, 1).values()) <= (codes - {HEAD}) | {""}
