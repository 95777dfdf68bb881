"""Page markers: what was given comes back as it was, and nothing else is taken for one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from xiangyue.db.paging import decode_as, decode_cursor, decode_ids, encode_cursor
from xiangyue.errors import Invalid

DAY, TIME, ID = date(2026, 2, 28), datetime(2026, 2, 28, 8, 5, tzinfo=UTC), UUID(int=7)


def test_values_come_back_by_their_kind() -> None:
    cursor = encode_cursor(DAY, TIME, ID, "王", 610921104000000, True)
    assert decode_as(cursor, date, datetime, UUID, str, int, bool) == [DAY, TIME, ID, "王", 610921104000000, True]
    assert decode_ids(encode_cursor(4, 5), 2) == [4, 5]


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (("2026-02-30", 1), (date, int)), ((1, 1), (date, int)), ((None, 1), (date, int)), ((DAY, "1"), (date, int)),
        ((DAY, 2**63), (date, int)), ((DAY, True), (date, int)), ((DAY, 1.0), (date, int)), ((DAY,), (date, int)),
        ((DAY, 1, 1), (date, int)), (("x\x00",), (str,)), ((1,), (str,)), (({},), (datetime,)), (("x",), (UUID,)),
        ((7,), (UUID,)), ((1,), (bool,)),
    ],
)  # fmt: skip
def test_what_no_row_can_have_is_refused_by_its_field(values: tuple[Any, ...], kinds: tuple[type, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        decode_as(encode_cursor(*values), *kinds, field="after")
    assert list(refused.value.fields) == ["after"]


@pytest.mark.parametrize("cursor", ["*", "é", "W10", "W", "e30", "x" * 5000, "WyJcdWQ4MDAiXQ"])
def test_what_is_no_marker_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        decode_as(cursor, str)
    with pytest.raises(Invalid):
        decode_cursor(cursor, 2)


def test_a_kind_that_cannot_be_read_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="int, str"):
        decode_as(encode_cursor(1), float)
