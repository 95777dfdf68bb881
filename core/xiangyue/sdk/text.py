"""Chinese text: the order by pinyin that lists need, and search by part of a name, pinyin or initials."""

from __future__ import annotations

from xiangyue.text.pinyin import fold, initials, sort_key, suffixes

__all__ = ["fold", "initials", "sort_key", "suffixes"]
