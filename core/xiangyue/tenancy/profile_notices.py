"""Notices and forms of consent in a profile, as ``[[notices]]`` says them."""

from __future__ import annotations

from xiangyue.access.lawful import BASES, USUAL
from xiangyue.tenancy.profile_schema import Choice, Flag, Key, ListOf, Strict, Text


class NoticeSchema(Strict):
    key = Key(required=True)
    kind = Choice("notice", "consent", "separate", "guardian", required=True)
    title_zh = Text(required=True, longest=100)
    title_en = Text(blank=True, longest=100, load_default="")
    text_zh = ListOf(Text(longest=2_000), required=True)
    text_en = ListOf(Text(longest=2_000), load_default=list)
    purpose = Text(required=True, longest=500)
    lawful_basis = Choice(*BASES, load_default=USUAL)
    source = Text(blank=True, longest=500, load_default="")
    data = ListOf(Text(longest=100), required=True)
    retention = Text(required=True, longest=500)
    handler = Text(required=True, longest=500)
    consequence = Text(blank=True, longest=500, load_default="")
    whom = Text(load_default="all", longest=100)
    change_note = Text(blank=True, longest=500, load_default="")
    again = Flag(load_default=False)
