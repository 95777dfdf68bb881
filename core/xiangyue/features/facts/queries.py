"""Reads of values that wait: the list with what stands beside what was offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xiangyue.access.crypto import TenantKeys
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.facts.policy import FIELDS, STATES
from xiangyue.features.households.bulk_stage import VALUE_TEXT
from xiangyue.features.households.identifiers import ID_NUMBER, PHONE, masked
from xiangyue.features.households.listing import Conditions, Page, Sort, fetch_page, set_area_names
from xiangyue.features.households.origins import CUSTOM, INCOME
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.i18n import pick
from xiangyue.tenancy.field_owners import department_of
from xiangyue.tenancy.own import own_settings
from xiangyue.text.codes import NATIONALITIES, SEX

ENTITIES = ("person", "household")
SORTS = {
    "id": Sort("c.id", int),
    "name": Sort("coalesce(p.sort_key, h.sort_key)", str),
    "at": Sort("c.created_at", datetime),
}
NAMES = (
    "id", "entity", "fact", "state", "value", "cipher", "batch_id", "source", "department", "created_at", "decided_at",
    "decided_name", "version", "person_id", "household_id", "name", "area_code", "code", "ours", "ours_cipher",
    "origin_name", "origin_at", "origin_department", "custom_type", "custom_options", "custom_name", "custom_name_en",
)  # fmt: skip
_SELECT = """
SELECT c.id, c.entity, c.field, c.state, c.value, c.cipher, c.batch_id, c.source, c.department, c.created_at,
       c.decided_at, c.decided_name, c.version, p.id, h.id, coalesce(p.name, h.head_name), h.area_code, h.code,
       CASE c.field WHEN 'name' THEN p.name WHEN 'sex' THEN CAST(p.sex AS text)
            WHEN 'birth_date' THEN CAST(p.birth_date AS text) WHEN 'nationality' THEN p.nationality
            WHEN 'address' THEN h.address
            ELSE coalesce(%(own)s, CAST(i.amount AS text))
       END,
       CASE c.field WHEN 'id_number' THEN p.id_number WHEN 'phone' THEN p.phone END, o.by_name, o.at, o.department,
       f.type, f.options, f.name, f.name_en, %(sort)s, c.id
  %(from)s
  LEFT JOIN custom_field f ON {tenant:f} AND f.entity = c.entity AND c.field = 'custom.' || f.key
  LEFT JOIN custom_value v ON {tenant:v} AND v.field_id = f.id AND v.owner_id = c.owner_id
  LEFT JOIN household_income i ON {tenant:i} AND c.entity = 'household' AND i.household_id = c.owner_id
       AND c.field = 'income.' || i.year
  LEFT JOIN LATERAL (
       SELECT x.by_name, x.at, x.department
         FROM (SELECT r.by_name, r.at, '' AS department FROM fact_origin r
                WHERE {tenant:r} AND r.entity = c.entity AND r.owner_id = c.owner_id AND r.field = c.field
                UNION ALL
               SELECT '', d.at, d.department FROM fact_department d
                WHERE {tenant:d} AND d.entity = c.entity AND d.owner_id = c.owner_id
                  AND jsonb_exists(d.fields, c.field)) x
        ORDER BY x.at DESC LIMIT 1) o ON true
 WHERE {tenant:c} AND {scope:h}"""
#: A value lies where its household does; a person's, where the person's does.
_FROM = """FROM fact_conflict c
  LEFT JOIN person p ON {tenant:p} AND c.entity = 'person' AND p.id = c.owner_id
  JOIN household h ON h.id = CASE WHEN c.entity = 'person' THEN p.household_id ELSE c.owner_id END"""
_SELECT = _SELECT.replace("%(from)s", _FROM).replace("%(own)s", VALUE_TEXT)
_COUNT = f"SELECT count(*) {_FROM} WHERE {{tenant:c}} AND {{scope:h}}"


@dataclass(frozen=True, slots=True)
class FactFilter:
    """``state``: of ``policy.STATES`` or all; ``field``: of ``policy.FIELDS`` or ``custom.<entity>.<key>``; ``batch``:
    number of the import."""

    area: int = 0
    state: str = "open"
    field: str = ""
    batch: int | None = None
    person: int | None = None
    household: int | None = None


def _conditions(wanted: FactFilter) -> Conditions:
    found = Conditions()
    if wanted.state not in STATES and wanted.state != "all":
        raise Invalid({"state": [_l("Choose one of the options.")]})
    if wanted.state != "all":
        found.add("c.state = :state", state=wanted.state)
    if wanted.field:
        entity, fact = _split(wanted.field)
        found.add("c.entity = :entity", entity=entity)
        if fact == "income":
            found.add("split_part(c.field, '.', 1) = 'income'")
        else:
            found.add("c.field = :field", field=fact)
    if wanted.batch is not None:
        found.add("c.batch_id = :batch", batch=wanted.batch)
    if wanted.person is not None:
        found.add("c.entity = 'person' AND c.owner_id = :person", person=wanted.person)
    if wanted.household is not None:
        found.add("c.entity = 'household' AND c.owner_id = :household", household=wanted.household)
    return found


def _split(field: str) -> tuple[str, str]:
    """(entity, fact as it is noted) of a field as lists name it. Raises Invalid."""
    first, *rest = field.split(".", 2)
    if first == "custom" and len(rest) == 2 and rest[0] in ENTITIES:
        return rest[0], f"custom.{rest[1]}"
    if field not in FIELDS:
        raise Invalid({"field": [_l("Choose one of the options.")]})
    return (first, rest[0]) if rest else ("person", field)


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
    overrides = own_settings(uow).field_owners
    set_area_names(uow, items, [item["area_code"] for item in items])
    for item in items:
        entity, fact = item["entity"], item["fact"]
        own = fact.startswith(CUSTOM)
        item["field"] = f"custom.{entity}.{fact.removeprefix(CUSTOM)}" if own else fact
        if entity == "household" and not own:
            item["field"] = f"household.{fact}"
        item["owner"] = department_of(_ruled(entity, fact), overrides)
        item["label"], item["data"] = _label(item)
        #: What people wrote, which is Chinese on an English page too.
        item["data_value"] = fact in ("name", "address") or item["custom_type"] in ("text", "choice")
        for name, cipher in (("value", item.pop("cipher")), ("ours", item.pop("ours_cipher"))):
            item[name] = shown(uow, keys, item, item[name], cipher)
    return Page(items, following, back)


def each_fact(
    uow: Uow, keys: TenantKeys, wanted: FactFilter, *, sort: str = "-id", chunk: int = 500
) -> Iterator[dict[str, Any]]:
    """All of them in order, read page by page."""
    after: str | None = None
    while True:
        page = list_facts(uow, keys, wanted, sort=sort, limit=chunk, after=after)
        yield from page.items
        after = page.next
        if after is None:
            return


def _ruled(entity: str, fact: str) -> str:
    """As `department_of` names it."""
    if fact.startswith(CUSTOM):
        return f"custom.{entity}.{fact.removeprefix(CUSTOM)}"
    return f"{entity}.{fact.split('.')[0]}"


def _label(item: Mapping[str, Any]) -> tuple[Any, bool]:
    """What a fact is called, and whether that is data even on an English page."""
    if item["fact"].startswith(CUSTOM):
        name, english = item["custom_name"], item["custom_name_en"]
        return (pick(name, english), not english) if name else (item["fact"], False)
    if item["fact"].startswith(INCOME):
        return _l("Income of %(year)s", year=item["fact"].removeprefix(INCOME)), False
    return FIELDS.get(item["field"], item["field"]), False


def shown(uow: Uow, keys: TenantKeys, item: Mapping[str, Any], text: str | None, cipher: bytes | None) -> str:
    """A value for people."""
    field = item["fact"]
    kind = item["custom_type"]
    if kind == "boolean" and text:
        return str(_l("Yes") if text in ("true", "1") else _l("No"))
    if kind == "choice" and text:
        option = next((o for o in item["custom_options"] if o["key"] == text), None)
        return str(pick(option["name"], option.get("name_en")) if option else text)
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
        "id", "entity", "field", "state", "value", "ours", "batch_id", "source", "department", "owner", "created_at",
        "decided_at", "decided_name", "person_id", "household_id", "name", "area_code", "area_name", "origin_name",
        "origin_at", "origin_department",
    )  # fmt: skip
    found = {name: item[name] for name in names}
    return {**found, "household_code": item["code"]}


__all__ = ["FactFilter", "count_facts", "ids_of", "list_facts", "plain", "shown"]
