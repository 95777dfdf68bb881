"""Reads of values that wait: the list with what stands beside what was offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.facts.policy import FIELDS, STATES
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, masked
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import NATIONALITIES, SEX

SORTS = {"id": Sort("c.id", int), "name": Sort("p.sort_key", str), "at": Sort("c.created_at", datetime)}
NAMES = (
    "id", "field", "state", "value", "cipher", "batch_id", "source", "created_at", "decided_at", "decided_name",
    "version", "person_id", "name", "area_code", "code", "ours", "ours_cipher", "origin_name", "origin_at",
)  # fmt: skip
_SELECT = """
SELECT c.id, c.field, c.state, c.value, c.cipher, c.batch_id, c.source, c.created_at, c.decided_at, c.decided_name,
       c.version, p.id, p.name, p.area_code, h.code,
       CASE c.field WHEN 'name' THEN p.name WHEN 'sex' THEN CAST(p.sex AS text)
            WHEN 'birth_date' THEN CAST(p.birth_date AS text) WHEN 'nationality' THEN p.nationality END,
       CASE c.field WHEN 'id_number' THEN p.id_number WHEN 'phone' THEN p.phone END, o.by_name, o.at,
       %(sort)s, c.id
  FROM fact_conflict c JOIN person p ON p.id = c.owner_id JOIN household h ON {tenant:h} AND h.id = p.household_id
  LEFT JOIN fact_origin o ON {tenant:o} AND o.owner_id = c.owner_id AND o.field = c.field
 WHERE {tenant:c} AND {scope:p}"""
_COUNT = "SELECT count(*) FROM fact_conflict c JOIN person p ON p.id = c.owner_id WHERE {tenant:c} AND {scope:p}"


@dataclass(frozen=True, slots=True)
class FactFilter:
    """``state``: of ``policy.STATES`` or all; ``field``: of ``policy.FIELDS``; ``batch``: number of the import."""

    area: int = 0
    state: str = "open"
    field: str = ""
    batch: int | None = None
    person: int | None = None


def _conditions(wanted: FactFilter) -> Conditions:
    found = Conditions()
    for name, value, known in (
        ("state", wanted.state, {**STATES, "all": ""}),
        ("field", wanted.field, {**FIELDS, "": ""}),
    ):
        if value not in known:
            raise Invalid({name: [_l("Choose one of the options.")]})
    if wanted.state != "all":
        found.add("c.state = :state", state=wanted.state)
    if wanted.field:
        found.add("c.field = :field", field=wanted.field)
    if wanted.batch is not None:
        found.add("c.batch_id = :batch", batch=wanted.batch)
    if wanted.person is not None:
        found.add("c.owner_id = :person", person=wanted.person)
    return found


def list_facts(
    uow: Uow,
    keys: TenantKeys,
    wanted: FactFilter,
    *,
    sort: str = "-id",
    limit: int = 50,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of values inside the actor's area, with what stands; identifiers masked. Raises Invalid."""
    chosen = SORTS.get(sort.removeprefix("-"), SORTS["id"])
    rows, following, back = fetch_page(
        uow,
        _SELECT.replace("%(sort)s", chosen.column),
        _conditions(wanted),
        alias="c",
        area=wanted.area,
        sort=sort,
        sorts=SORTS,
        limit=limit,
        after=after,
        before=before,
    )
    items = [dict(zip(NAMES, row, strict=False)) for row in rows]
    set_area_names(uow, items, [item["area_code"] for item in items])
    for item in items:
        for name, cipher in (("value", item.pop("cipher")), ("ours", item.pop("ours_cipher"))):
            item[name] = shown(uow, keys, item["field"], item[name], cipher)
    return Page(items, following, back)


def shown(uow: Uow, keys: TenantKeys, field: str, text: str | None, cipher: bytes | None) -> str:
    """A value for people."""
    if field in (ID_NUMBER, PHONE):
        return masked(keys, uow.tenant_id, field, cipher)
    table = {"sex": SEX, "nationality": NATIONALITIES}.get(field)
    if table is not None:
        return table.label(text) if text and text != "0" else ""
    return text or ""


def count_facts(uow: Uow, wanted: FactFilter) -> int:
    conditions = _conditions(wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    rows = scoped_rows(uow.session, _COUNT + conditions.sql(), conditions.params, scope=scope)
    return int(rows[0][0])


def ids_of(uow: Uow, wanted: FactFilter, limit: int) -> list[int]:
    """Ids of what a filter finds, oldest first."""
    conditions = _conditions(wanted)
    scope = uow.scope.narrowed(wanted.area) if wanted.area else uow.scope
    statement = _COUNT.replace("count(*)", "c.id") + f"{conditions.sql()} ORDER BY c.id LIMIT {int(limit)}"
    return [row[0] for row in scoped_rows(uow.session, statement, conditions.params, scope=scope)]


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row for the API."""
    names = (
        "id", "field", "state", "value", "ours", "batch_id", "source", "created_at", "decided_at", "decided_name",
        "person_id", "name", "area_code", "area_name", "origin_name", "origin_at",
    )  # fmt: skip
    found = {name: item[name] for name in names}
    return {**found, "household_code": item["code"]}


__all__ = ["FactFilter", "count_facts", "ids_of", "list_facts", "plain", "shown"]
