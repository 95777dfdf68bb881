"""Audit trail: entries are written in the same transaction as what they record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect

from xiangyue.access.models import AuditEntry
from xiangyue.db.base import TenantOwned
from xiangyue.db.uow import Uow


def plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Values as JSON can hold them; bytes (encrypted identifiers) never enter the trail."""
    if values is None:
        return None
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "•••"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return value


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as (before, after)."""
    keys = [k for k in after if before.get(k) != after[k]]
    return {k: before.get(k) for k in keys}, {k: after[k] for k in keys}


#: What audit entries of exports are about; their label is the number that stands in the file.
EXPORTED = "export"


def audit(
    uow: Uow,
    *,
    action: str,
    obj: TenantOwned | None = None,
    object_type: str = "",
    object_id: int | None = None,
    label: str = "",
    area_code: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    purpose: str = "",
) -> None:
    """Append an entry. ``action`` like ``household.edit``; ``obj`` gives type, id and area when it has them."""
    if obj is not None:
        if inspect(obj).identity is None:
            uow.session.flush()
        object_type = object_type or obj.__tablename__  # type: ignore[attr-defined]
        object_id = obj.id
        area_code = area_code if area_code is not None else getattr(obj, "area_code", None)
    actor = uow.actor
    uow.session.add(
        AuditEntry(
            actor_kind=actor.kind,
            account_id=actor.account_id,
            actor_name=actor.name or actor.login,
            action=action,
            object_type=object_type,
            object_id=object_id,
            object_label=label,
            area_code=area_code or 0,
            before=plain(before),
            after=plain(after),
            purpose=purpose,
            ip=uow.info.ip,
            request_id=uow.info.request_id,
        )
    )


def audit_export(
    uow: Uow,
    *,
    action: str,
    number: str,
    purpose: str,
    rows: int,
    columns: Sequence[str] = (),
    conditions: Mapping[str, Any] | None = None,
    area_code: int | None = None,
    marks: Sequence[str] = (),
) -> None:
    """Append the entry of a list that left the house: the ``number`` in the file finds it. ``columns``: keys of what
    stood in it, ``conditions``: how it was narrowed, ``marks``: sensitive ones among the columns."""
    after = {"rows": rows, "fields": list(columns), "filters": dict(conditions or {}), "marks": list(marks)}
    audit(
        uow,
        action=action,
        object_type=EXPORTED,
        label=number,
        area_code=area_code,
        after={key: value for key, value in after.items() if value},
        purpose=purpose,
    )
