"""What acts and their states are called."""

from __future__ import annotations

from typing import Any

from xiangyue.i18n import lazy_gettext as _l

KIND_LABELS: dict[str, Any] = {
    "birth": _l("Birth"),
    "move_in": _l("Moving in"),
    "move": _l("Moving to another household"),
    "move_out": _l("Moving out"),
    "leave": _l("Leaving for elsewhere"),
    "return": _l("Coming back"),
    "death": _l("Death"),
    "head_change": _l("Change of head"),
    "split": _l("Splitting a household"),
    "merge": _l("Merging households"),
    "close": _l("Closing a household"),
    "reopen": _l("Opening a household again"),
}
STATE_LABELS: dict[str, Any] = {
    "reported": _l("Waits to be confirmed"),
    "done": _l("In force"),
    "refused": _l("Sent back"),
    "undone": _l("Undone"),
}
