"""Audit entries of accounts as people read them: what was done, by whom, and the values that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xiangyue.access.models import AuditEntry
from xiangyue.features.accounts import policy
from xiangyue.i18n import LazyText, format_datetime
from xiangyue.i18n import lazy_gettext as _l

#: Values worth reading; the rest of an entry is for the audit trail's own page.
LABELS: dict[str, LazyText] = {
    "name": _l("Name"),
    "post": _l("Post"),
    "locale": _l("Language"),
    "large_text": _l("Large text"),
    "role": _l("Role"),
    "area": _l("Area"),
    "sessions": _l("Sessions"),
    "sessions_ended": _l("Sessions"),
    "codes_left": _l("Recovery codes left"),
    "why": _l("Reason"),
    "until": _l("Locked until"),
}

WORDS: dict[str, LazyText] = {
    "why=password": _l("wrong password"),
    "why=code": _l("wrong code"),
    "why=locked": _l("account locked"),
    "why=active": _l("no password yet"),
    "why=disabled": _l("account disabled"),
    "locale=zh": _l("Chinese"),
    "locale=en": _l("English"),
    "locale=": _l("As the county"),
    "large_text=True": _l("Turned on"),
    "large_text=False": _l("Not turned on"),
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One value before and after; ``data`` says that it is Chinese data."""

    label: LazyText
    before: Any
    after: Any
    data: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the story. ``by`` is empty when the account itself did it or nobody was signed in."""

    head: Any
    when: datetime
    by: str
    by_system: bool
    details: tuple[Detail, ...]


def story(entries: Iterable[AuditEntry], account_id: int, roles: Mapping[str, tuple[str, str]]) -> list[Line]:
    """``roles``: names (zh, en) by key."""
    return [_line(entry, account_id, roles) for entry in entries]


def _line(entry: AuditEntry, account_id: int, roles: Mapping[str, tuple[str, str]]) -> Line:
    before, after = entry.before or {}, entry.after or {}
    keys = [k for k in LABELS if k in before or k in after]
    return Line(
        head=policy.ACTIONS.get(entry.action, entry.action),
        when=entry.at,
        by=entry.actor_name if entry.account_id not in (None, account_id) else "",
        by_system=entry.actor_kind == "system",
        details=tuple(
            Detail(
                LABELS[key],
                _shown(key, before.get(key), roles),
                _shown(key, after.get(key), roles),
                key in ("name", "post", "area"),
            )
            for key in keys
        ),
    )


def _shown(key: str, value: Any, roles: Mapping[str, tuple[str, str]]) -> Any:
    if value is None:
        return ""
    if key == "until":
        return format_datetime(datetime.fromisoformat(str(value)))
    if key == "role":
        name, name_en = roles.get(str(value), ("", ""))
        return RoleName(name or str(value), name_en or str(value))
    return WORDS.get(f"{key}={value}", value)


@dataclass(frozen=True, slots=True)
class RoleName:
    """What the macro ``names.role`` shows."""

    name: str
    name_en: str
