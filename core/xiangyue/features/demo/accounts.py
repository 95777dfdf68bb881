# data: zh
"""The demonstration's accounts. They are the same on every demo instance and printed when it starts, so they
need not change their passwords; a live instance has none of them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from xiangyue.access.models import Account
from xiangyue.access.passwords import hash_password
from xiangyue.features.accounts import records
from xiangyue.features.accounts.queries.roles import role_by_key
from xiangyue.features.accounts.roles import ensure_operator_roles
from xiangyue.features.accounts.service.grants import insert_grant
from xiangyue.runtime import Runtime
from xiangyue.text.pinyin import sort_key

PASSWORD = "xiangyue-demo-2026"  # noqa: S105 - known to everybody who looks at a demo
OPERATOR_SITE = "operator"


class DemoAccount(NamedTuple):
    """``site``: slug of the county, or ``operator``. ``area_code``: 15 digits, 0 the whole tenant. ``role`` and
    ``role_zh`` say who it is, in both languages."""

    site: str
    login: str
    password: str
    role: str
    role_zh: str
    role_key: str
    area_code: int
    name: str
    post: str


_TOWN, _VILLAGE = 610921107000000, 610921107202000

_ROWS = (
    ("hanyin", "admin", "Administrator, whole county", "县级管理员·全县", "county_admin", 0, "陈示范", "县社会工作部"),
    ("hanyin", "xuanwo", "Town officer, Xuanwo", "镇办干部·漩涡镇", "town", _TOWN, "周示范", "基层治理办主任"),
    ("hanyin", "yanping", "Village officer, Yanping", "村干部·堰坪村", "village", _VILLAGE, "吴示范", "村文书"),
    ("hanyin", "wangge", "Grid leader, Yanping", "网格长·堰坪村", "grid_leader", _VILLAGE, "郑示范", "网格长"),
    ("hanyin", "shihu", "Head of ten households, Yanping", "十户长·堰坪村", "group_head", _VILLAGE, "许示范", "十户长"),
    ("hanyin", "minzheng", "Department, whole county", "县直部门·全县", "department", 0, "冯示范", "县民政局"),
    ("hanyin", "shenji", "Auditor, whole county", "审计员·全县", "auditor", 0, "韩示范", "县纪委监委"),
    ("huarong", "admin", "Administrator, whole county", "县级管理员·全县", "county_admin", 0, "何示范", ""),
    ("shuangliao", "admin", "Administrator, whole city", "市级管理员·全市", "county_admin", 0, "杨示范", ""),
    ("tongyu", "admin", "Administrator, whole county", "县级管理员·全县", "county_admin", 0, "朱示范", ""),
    (OPERATOR_SITE, "operator", "Operations administrator", "运营管理员", "operator_admin", 0, "秦示范", ""),
)  # fmt: skip


def accounts() -> list[DemoAccount]:
    """All demo accounts, the fullest county first."""
    return [
        DemoAccount(site, login, PASSWORD, role, role_zh, key, area, name, post)
        for site, login, role, role_zh, key, area, name, post in _ROWS
    ]


def ensure_accounts(runtime: Runtime) -> int:
    """Make those that are missing, in the counties that are aboard; returns how many. A second run makes none."""
    ensure_operator_roles(runtime)
    made = 0
    hashed = ""
    for wanted in accounts():
        tenant = runtime.directory.by_slug(wanted.site)
        if tenant is None:
            continue
        with runtime.uow(tenant.id) as uow:
            known = select(Account.id).where(Account.login == wanted.login)
            if uow.session.scalars(known).one_or_none() is not None or role_by_key(uow, wanted.role_key) is None:
                continue  # a home of an older version has a newer role once its profile is applied again
            hashed = hashed or hash_password(PASSWORD)
            account = Account(
                login=wanted.login,
                name=wanted.name,
                sort_key=sort_key(wanted.name),
                post=wanted.post,
                password_hash=hashed,
            )
            uow.session.add(account)
            uow.session.flush()
            insert_grant(uow, account, wanted.role_key, wanted.area_code, runtime.registry.permissions)
            records.record(uow, "account.create", account, after={"login": account.login, "demo": True})
            made += 1
    return made
