"""What kinds and states of changes are called."""

from __future__ import annotations

from typing import Any

from xiangyue.i18n import lazy_gettext as _l

KIND_LABELS: dict[str, Any] = {
    "rename": _l("Rename"),
    "recode": _l("Re-code"),
    "move": _l("Put under another area"),
    "merge": _l("Merge"),
    "split": _l("Split"),
    "create": _l("Establish"),
    "close": _l("Abolish"),
}
#: What each kind is for, where one chooses.
KIND_HELP: dict[str, Any] = {
    "rename": _l("Another name, the same code. The old name is still found."),
    "recode": _l("The area and all below it under another code, as the official list has it now."),
    "move": _l("A village under another town, a group under another village: with a new code there."),
    "merge": _l("One or several areas go into another. Their groups come along with numbers that are free there."),
    "split": _l("New areas are cut from one; say by group, house number or household who goes where."),
    "create": _l("A new town, village or group without households."),
    "close": _l("An area without households ends. With households, merge it into another instead."),
}
STATE_LABELS: dict[str, Any] = {
    "draft": _l("Draft"),
    "arranged": _l("Will be put in force"),
    "working": _l("Being put in force"),
    "done": _l("In force"),
    "undoing": _l("Being undone"),
    "undone": _l("Undone"),
}
