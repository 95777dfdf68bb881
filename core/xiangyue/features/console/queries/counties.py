"""Counties in the directory: one page of a list, and one county."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from xiangyue.config import Settings
from xiangyue.db.paging import decode_as, encode_cursor
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid, NotFound
from xiangyue.features.console import policy
from xiangyue.features.console.schemas import PAGE_SIZE
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.models import COUNTY, Tenant, TenantHost

#: 15-digit codes of one province begin with its two digits.
_PROVINCE = 10**13
_CODE6 = 10**9


@dataclass(frozen=True, slots=True)
class CountyFilter:
    """What a list is narrowed to; empty means all. ``q``: words of name, pinyin, slug or the beginning of the code;
    ``province``: two digits; ``plugin``: enabled in its profile."""

    q: str = ""
    state: str = ""
    province: str = ""
    plugin: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Sort key (one of SORTS), its direction, and where a page begins."""

    key: str = "name"
    descending: bool = False
    after: str | None = None
    before: str | None = None
    limit: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Tenant]
    next: str | None
    back: str | None
    count: int


@dataclass(frozen=True, slots=True)
class _Sort:
    column: ColumnElement[Any]
    value: Callable[[Tenant], Any]
    kind: type


#: Chinese names in the order of their pinyin: the English name begins with it.
_SORTS: dict[str, _Sort] = {
    "name": _Sort(func.lower(Tenant.name_en).collate("C"), lambda t: t.name_en.lower(), str),
    "code": _Sort(Tenant.area_code.expression, lambda t: t.area_code, int),
    "state": _Sort(Tenant.state.collate("C"), lambda t: t.state, str),
    "created_at": _Sort(Tenant.created_at.expression, lambda t: t.created_at, datetime),
}
SORTS = tuple(_SORTS)


def find_counties(uow: Uow, wanted: CountyFilter, order: Order) -> Page:
    """One page of counties. Raises Invalid for an unreadable cursor, an unknown state or sort key."""
    if order.key not in _SORTS:
        known = ", ".join(SORTS)
        raise Invalid({"sort": [_l("Unknown: %(unknown)s. Known: %(known)s.", unknown=order.key, known=known)]})
    conditions = _conditions(wanted)
    count = uow.session.scalar(select(func.count()).select_from(Tenant).where(*conditions)) or 0
    sort = _SORTS[order.key]
    backwards = order.before is not None
    descending = order.descending != backwards
    statement = select(Tenant).where(*conditions)
    cursor = order.before or order.after
    if cursor:
        value, last_id = _read(cursor, sort)
        beyond = sort.column < value if descending else sort.column > value
        same = Tenant.id < last_id if descending else Tenant.id > last_id
        statement = statement.where(or_(beyond, and_(sort.column == value, same)))
    keys = (sort.column.desc(), Tenant.id.desc()) if descending else (sort.column, Tenant.id)
    found = list(uow.session.scalars(statement.order_by(*keys).limit(order.limit + 1)))
    more = len(found) > order.limit
    rows = found[: order.limit]
    if backwards:
        rows.reverse()
    has_next, has_back = (True, more) if backwards else (more, order.after is not None)
    return Page(
        rows=rows,
        next=encode_cursor(sort.value(rows[-1]), rows[-1].id) if rows and has_next else None,
        back=encode_cursor(sort.value(rows[0]), rows[0].id) if rows and has_back else None,
        count=count,
    )


def _read(cursor: str, sort: _Sort) -> tuple[Any, int]:
    value, last_id = decode_as(cursor, sort.kind, int)
    return value, last_id


def _conditions(wanted: CountyFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Tenant.kind == COUNTY]
    for word in wanted.q.lower().split():
        ways = [
            Tenant.name.icontains(word, autoescape=True),
            func.replace(func.replace(func.lower(Tenant.name_en), " ", ""), "'", "").startswith(
                word.replace("'", ""), autoescape=True
            ),
            Tenant.slug.startswith(word, autoescape=True),
        ]
        if word.isascii() and word.isdigit() and len(word) <= 15:
            low = int(word) * 10 ** (15 - len(word))
            ways.append(Tenant.area_code.between(low, low + 10 ** (15 - len(word)) - 1))
        found.append(or_(*ways))
    if wanted.state:
        if wanted.state not in policy.STATES:
            raise Invalid({"state": [_l("Unknown state: %(state)s.", state=wanted.state)]})
        found.append(Tenant.state == wanted.state)
    if wanted.province:
        if not (wanted.province.isascii() and wanted.province.isdigit() and len(wanted.province) == 2):
            raise Invalid({"province": [_l("A province is the first two digits of a code.")]})
        low = int(wanted.province) * _PROVINCE
        found.append(Tenant.area_code.between(low, low + _PROVINCE - 1))
    if wanted.plugin:
        found.append(Tenant.profile["plugins"][wanted.plugin]["enabled"].as_boolean())
    return found


def get_county(uow: Uow, slug: str) -> Tenant:
    """The county with this slug, read afresh. Raises NotFound; the operator's own tenant is no county."""
    statement = select(Tenant).where(Tenant.slug == slug, Tenant.kind == COUNTY)
    found = uow.session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(_l("There is no county with the slug “%(slug)s”.", slug=slug))
    return found


def county_of_code(uow: Uow, code6: str) -> Tenant | None:
    """The first county aboard with this code of six digits, or None."""
    statement = select(Tenant).where(Tenant.kind == COUNTY, Tenant.area_code == int(code6) * _CODE6)
    return uow.session.scalars(statement.order_by(Tenant.id).limit(1)).one_or_none()


def aboard(uow: Uow, codes: Sequence[str]) -> dict[str, Tenant]:
    """Which of these codes of six digits are aboard already."""
    wanted = {int(code) * _CODE6: code for code in codes}
    rows = uow.session.scalars(select(Tenant).where(Tenant.kind == COUNTY, Tenant.area_code.in_(wanted)))
    return {wanted[row.area_code]: row for row in rows}


def slugs_aboard(uow: Uow, slugs: Sequence[str]) -> dict[str, Tenant]:
    """Which of these slugs are counties already."""
    rows = uow.session.scalars(select(Tenant).where(Tenant.kind == COUNTY, Tenant.slug.in_(slugs)))
    return {row.slug: row for row in rows}


def hosts_of(uow: Uow, tenants: Sequence[Tenant], settings: Settings) -> dict[int, list[str]]:
    """Host names by tenant id: ``<slug>.<base domain>`` first, then the county's own."""
    found = {t.id: [f"{t.slug}.{settings.base_domain}"] for t in tenants}
    own = select(TenantHost).where(TenantHost.tenant_id.in_(found)).order_by(TenantHost.host)
    for row in uow.session.scalars(own):
        found[row.tenant_id].append(row.host)
    return found
