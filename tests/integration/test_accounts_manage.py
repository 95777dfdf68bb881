"""Accounts of others: who may manage whom and where, one-time links, the last administrator, roles."""

from __future__ import annotations

import re
from typing import Any

import pytest
from accounts_kit import CHENGGUAN, XUANWO, YANPING, actions, csrf, fresh, send, sign_in
from sqlalchemy import select

from xiangyue.access.models import Account, AuditEntry, OneTimeLink, Role, RoleGrant
from xiangyue.features.accounts.roles import OWN
from xiangyue.testing.fixtures import PASSWORD, County

NEW_PASSWORD = "seven green bicycles 41"


def make(client: Any, login: str, /, **changes: Any) -> Any:
    data = {"name": "测试·人", "login": login, "post": "干事", "role": "village", "area_code": str(YANPING)}
    return send(client, "/accounts", {**data, **changes}, on="/accounts/new")


def link_in(answer: Any) -> str:
    found = re.search(r"/link/(xyl_\w+)", answer.get_data(as_text=True))
    assert found is not None
    return found.group(0)


def account_of(county: County, login: str) -> Account:
    with county.uow() as uow:
        return uow.session.scalars(select(Account).where(Account.login == login)).one()


def grant_ids(county: County, account_id: int) -> list[int]:
    with county.uow() as uow:
        held = select(RoleGrant.id).where(RoleGrant.account_id == account_id)
        return list(uow.session.scalars(held.order_by(RoleGrant.id)))


def test_a_new_account_gets_a_link_that_works_once(hanyin: County) -> None:
    admin = hanyin.client("county_admin")
    answer = make(admin, "new.person")
    assert answer.status_code == 200
    path = link_in(answer)
    assert path not in admin.get("/accounts").get_data(as_text=True)
    account = account_of(hanyin, "new.person")
    assert account.password_hash == ""
    visitor = hanyin.client()
    page = visitor.get(path).get_data(as_text=True)
    assert "new.person" in page
    assert "测试·人" in page
    weak = send(visitor, path, {"password": "hanyin2026"})
    assert weak.status_code == 422
    done = send(visitor, path, {"password": NEW_PASSWORD})
    assert done.status_code == 303
    assert visitor.get("/me").status_code == 200
    for method in ("get", "post"):
        again = hanyin.client()
        data = {"password": NEW_PASSWORD + "x", "csrf_token": csrf(again, "/sign-in")}
        gone = again.get(path) if method == "get" else again.post(path, data=data)
        assert gone.status_code == 404
        assert "已失效" in gone.get_data(as_text=True)
    assert sign_in(hanyin.client(), "new.person", NEW_PASSWORD).status_code == 303
    assert actions(hanyin, account.id)[:3] == ["grant.add", "account.create", "password.set"]


def test_a_link_is_good_only_in_its_county_and_time(hanyin: County, tongyu: County) -> None:
    path = link_in(make(hanyin.client("county_admin"), "late.person"))
    assert tongyu.client().get(path).status_code == 404
    assert hanyin.client().get(path[:-1] + "0").status_code == 404
    with hanyin.uow() as uow:
        for link in uow.session.scalars(select(OneTimeLink)):
            link.expires_at = link.created_at
    assert hanyin.client().get(path).status_code == 404


def test_a_reset_ends_former_links_and_sessions(hanyin: County) -> None:
    admin = hanyin.client("county_admin")
    account = hanyin.account("village", area=YANPING)
    signed = hanyin.client(account)
    on = f"/accounts/{account.id}"
    first = link_in(send(admin, f"{on}/link", on=on))
    second = link_in(send(admin, f"{on}/link", on=on))
    assert hanyin.client().get(first).status_code == 404
    send(hanyin.client(), second, {"password": NEW_PASSWORD})
    assert signed.get("/me").status_code == 303


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("login", "有汉字", "字母、数字"),
        ("login", "a", "字母、数字"),
        ("name", "  ", "请填写姓名"),
        ("role", "nothing", "请选择角色"),
        ("area_code", "220822100000000", "管辖范围"),
        ("area_code", "", "管辖范围"),  # the whole county is chosen, never what is left when nothing is
        ("login", "TAKEN", "已被使用"),
    ],
)
def test_faults_are_named_and_input_is_kept(hanyin: County, field: str, value: str, message: str) -> None:
    with hanyin.uow() as uow:
        known = uow.session.scalars(select(Account).where(Account.login == "taken")).one_or_none()
    if known is None:
        hanyin.account("village", area=YANPING, login="taken")
    answer = make(hanyin.client("county_admin"), "typed.login", **{field: value})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert message in page
    assert "测试·人" in page or field == "name"


def test_a_town_manager_sees_and_manages_only_the_own_town(hanyin: County) -> None:
    manager = hanyin.account("town", area=XUANWO)
    inside = hanyin.account("village", area=YANPING)
    outside = hanyin.account("village", area=CHENGGUAN)
    both = hanyin.account("village", area=YANPING)
    with hanyin.uow() as uow:
        role = uow.session.scalars(select(Role.id).where(Role.key == "village")).one()
        uow.session.add(RoleGrant(account_id=both.id, role_id=role, area_code=CHENGGUAN))
    roleless = hanyin.account(None)
    client = hanyin.client(manager)
    listed = client.get("/accounts?sort=login").get_data(as_text=True)
    assert f'href="/accounts/{inside.id}"' in listed
    assert f'href="/accounts/{manager.id}"' in listed
    for hidden in (outside, both, roleless):
        assert f'href="/accounts/{hidden.id}"' not in listed
        for path in ("", "/edit", "/rights"):
            assert client.get(f"/accounts/{hidden.id}{path}").status_code == 404
        for act in ("link", "state", "unlock", "sessions", "second-factor", "grants"):
            data = {"state": "disabled", "role": "village", "area_code": str(YANPING)}
            assert send(client, f"/accounts/{hidden.id}/{act}", data, on="/accounts").status_code == 404
        assert fresh(hanyin, hidden).state == "active"
    assert client.get(f"/accounts/{inside.id}").status_code == 200


def test_a_town_manager_gives_only_what_is_his_where_it_is_his(hanyin: County) -> None:
    client = hanyin.client(hanyin.account("town", area=XUANWO))
    page = client.get("/accounts/new").get_data(as_text=True)
    assert "堰坪村" in page
    assert "城关镇" not in page
    assert 'value="county_admin"' not in page
    assert make(client, "town.made.1").status_code == 200
    for changes in (
        {"area_code": str(CHENGGUAN)},
        {"area_code": "0"},
        {"area_code": str(hanyin.info.area_code)},
        {"role": "county_admin"},
        {"role": ""},
    ):
        assert make(client, "town.made.2", **changes).status_code == 422
    with hanyin.uow() as uow:
        made = select(Account.id).where(Account.login == "town.made.2")
        assert uow.session.scalars(made).one_or_none() is None


def test_nobody_touches_an_account_with_more_rights(hanyin: County) -> None:
    client = hanyin.client(hanyin.account("town", area=XUANWO))
    strong = hanyin.account("county_admin", area=YANPING)  # inside, but with rights the town lacks
    on = f"/accounts/{strong.id}"
    assert client.get(on).status_code == 200
    for act in ("link", "state", "sessions"):
        assert send(client, f"{on}/{act}", {"state": "disabled"}, on="/accounts").status_code == 403
    assert fresh(hanyin, strong).state == "active"


def test_nobody_raises_or_stops_himself(hanyin: County) -> None:
    admin = hanyin.account("county_admin")
    hanyin.account("county_admin")
    client = hanyin.client(admin)
    on = f"/accounts/{admin.id}"
    page = client.get(on).get_data(as_text=True)
    assert "/grants" not in page
    for act, data in (
        ("grants", {"role": "auditor", "area_code": "0"}),
        ("state", {"state": "disabled"}),
        ("link", {}),
    ):
        assert send(client, f"{on}/{act}", data, on="/accounts").status_code == 403
    grant = grant_ids(hanyin, admin.id)[0]
    assert send(client, f"{on}/grants/{grant}/remove", on="/accounts").status_code == 403


def test_the_last_administrator_stays(tongyu: County) -> None:
    only = tongyu.account("county_admin", login="only-admin")
    with tongyu.uow() as uow:
        role = Role(key="keeper", name="账号员", permissions=["account.view", "account.manage"])
        uow.session.add(role)
    town = tongyu.account("town", area=tongyu.info.area_code)  # manages accounts of the whole county as well
    client = tongyu.client(town)
    # The town role holds less, so it cannot touch the administrator at all.
    assert send(client, f"/accounts/{only.id}/state", {"state": "disabled"}, on="/accounts").status_code == 403
    second = tongyu.account("county_admin")
    admin = tongyu.client(second)
    on = f"/accounts/{town.id}"
    send(admin, f"{on}/state", {"state": "disabled"}, on=on)
    assert fresh(tongyu, town).state == "disabled"
    on = f"/accounts/{only.id}"
    send(admin, f"{on}/state", {"state": "disabled"}, on=on)
    assert fresh(tongyu, only).state == "disabled"
    from xiangyue.errors import Conflict
    from xiangyue.features.accounts.service.accounts import set_state
    from xiangyue.features.accounts.service.grants import remove_grant

    with pytest.raises(Conflict), tongyu.uow() as uow:
        set_state(uow, account_id=second.id, state="disabled")
    with pytest.raises(Conflict), tongyu.uow() as uow:
        remove_grant(uow, account_id=second.id, grant_id=grant_ids(tongyu, second.id)[0])
    assert fresh(tongyu, second).state == "active"
    # Nor by emptying the role.
    with tongyu.uow() as uow:
        role_id = uow.session.scalars(select(Role.id).where(Role.key == "county_admin")).one()
    data = {"name": "管理员", "permissions": ["account.view"], "version": "1"}
    answer = send(admin, f"/roles/{role_id}/edit", data)
    assert answer.status_code == 409
    assert admin.get("/accounts").status_code == 200


def test_disabling_ends_sessions_and_tokens_at_once(hanyin: County) -> None:
    from xiangyue.features.accounts.service.own import create_token_for

    account = hanyin.account("village", area=YANPING)
    with hanyin.uow() as uow:
        _, token = create_token_for(uow, account_id=account.id, name="t", scopes=["*"], days=1)
    signed = hanyin.client(account)
    bearer = {"Authorization": f"Bearer {token}"}
    assert signed.get("/me").status_code == 200
    assert hanyin.client().get("/api/v1/me", headers=bearer).status_code == 200
    admin = hanyin.client("county_admin")
    on = f"/accounts/{account.id}"
    send(admin, f"{on}/state", {"state": "disabled"}, on=on)
    assert signed.get("/me").status_code == 303
    assert hanyin.client().get("/api/v1/me", headers=bearer).status_code == 401
    assert sign_in(hanyin.client(), account.login, PASSWORD).status_code == 422
    send(admin, f"{on}/state", {"state": "active"}, on=on)
    assert signed.get("/me").status_code == 303  # ended stays ended


def test_grants_hold_and_end_at_the_next_request(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    signed = hanyin.client(account)
    assert signed.get("/accounts").status_code == 403
    admin = hanyin.client("county_admin")
    on = f"/accounts/{account.id}"
    send(admin, f"{on}/grants", {"role": "town", "area_code": str(XUANWO)}, on=on)
    assert signed.get("/accounts").status_code == 200
    twice = send(admin, f"{on}/grants", {"role": "town", "area_code": str(XUANWO)}, on=on)
    assert twice.status_code == 422
    send(admin, f"{on}/grants/{grant_ids(hanyin, account.id)[-1]}/remove", on=on)
    assert signed.get("/accounts").status_code == 403
    assert [a for a in actions(hanyin, account.id) if "grant" in a] == ["grant.add", "grant.remove"]
    page = admin.get(on).get_data(as_text=True)
    assert "授予角色" in page
    assert "收回角色" in page


def test_a_lost_update_shows_both_values(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING, name="原名")
    admin = hanyin.client("county_admin")
    path = f"/accounts/{account.id}/edit"
    assert send(admin, path, {"name": "先存", "post": "", "version": "1"}).status_code == 303
    stale = send(admin, path, {"name": "后存", "post": "", "version": "1"})
    assert stale.status_code == 409
    page = stale.get_data(as_text=True)
    assert "先存" in page
    assert "后存" in page
    assert 'name="version" value="2"' in page
    assert fresh(hanyin, account).name == "先存"


def test_unlock_and_lost_phone(hanyin: County) -> None:
    account = hanyin.account("village", area=YANPING)
    client = hanyin.client()
    for _ in range(5):
        sign_in(client, account.login, "wrong password 7")
    admin = hanyin.client("county_admin")
    on = f"/accounts/{account.id}"
    assert "暂时锁定" in admin.get(on).get_data(as_text=True)
    assert f"/accounts/{account.id}" in admin.get("/accounts?state=locked").get_data(as_text=True)
    send(admin, f"{on}/unlock", on=on)
    assert sign_in(client, account.login, PASSWORD).status_code == 303
    nothing = send(admin, f"{on}/second-factor", on=on)
    assert nothing.status_code == 303
    assert "second_factor.reset" not in actions(hanyin, account.id)


def test_the_list_filters_sorts_and_pages(tongyu: County) -> None:
    admin = tongyu.client(tongyu.account("county_admin", login="zz-lister", name="周一"))
    for i in range(55):
        tongyu.account("village", area=220822100000000, login=f"bulk{i:02}", name=f"批{i:02}", sort_key=f"pi{i:02}")
    page = admin.get("/accounts?q=bulk&sort=login").get_data(as_text=True)
    assert "bulk00" in page
    assert "bulk49" in page
    assert "bulk50" not in page
    found = re.search(r'rel="next" href="([^"]+)"', page)
    assert found is not None
    second = admin.get(found.group(1).replace("&amp;", "&")).get_data(as_text=True)
    assert "bulk50" in second
    assert "bulk49" not in second
    back = re.search(r'rel="prev" href="([^"]+)"', second)
    assert back is not None
    assert "bulk00" in admin.get(back.group(1).replace("&amp;", "&")).get_data(as_text=True)
    assert "bulk54" in admin.get("/accounts?q=bulk&sort=-login").get_data(as_text=True)
    assert "bulk00" not in admin.get("/accounts?role=auditor").get_data(as_text=True)
    assert "zz-lister" in admin.get("/accounts?q=周").get_data(as_text=True)
    assert "bulk00" not in admin.get("/accounts?area=220822101000000").get_data(as_text=True)
    assert "bulk00" not in admin.get("/accounts?q=bulk&second_factor=on").get_data(as_text=True)


def test_rights_say_what_and_why(hanyin: County) -> None:
    account = hanyin.account("town", area=XUANWO, name="周理由")
    admin = hanyin.client("county_admin")
    path = f"/accounts/{account.id}/rights"
    page = admin.get(path).get_data(as_text=True)
    assert "漩涡镇" in page
    assert "镇办干部" in page
    yes = admin.get(f"{path}?permission=household.view&area={YANPING}").get_data(as_text=True)
    assert '可以：在<span lang="zh-CN">漩涡镇 · 堰坪村</span>' in yes
    elsewhere = admin.get(f"{path}?permission=household.view&area={CHENGGUAN}").get_data(as_text=True)
    assert "但不覆盖" in elsewhere
    never = admin.get(f"{path}?permission=role.manage&area={YANPING}").get_data(as_text=True)
    assert "的角色都没有" in never
    assert admin.get(f"{path}?permission=household.view&household=999").status_code == 422
    own = hanyin.client(account).get("/me/rights?permission=household.view").get_data(as_text=True)
    assert "但不覆盖" in own  # not the whole county


def test_a_role_is_made_changed_and_deleted(hanyin: County) -> None:
    admin = hanyin.client("county_admin")
    assert 'value="household.edit" checked' in admin.get("/roles/new?template=village").get_data(as_text=True)
    data = {"key": "doctor", "name": "村医", "permissions": ["household.view", "area.view"]}
    made = send(admin, "/roles", data, on="/roles/new")
    assert made.status_code == 303
    path = made.headers["Location"]
    account = hanyin.account("doctor", area=YANPING)
    change = {**data, "permissions": ["household.view", "household.export"], "version": "1"}
    assert send(admin, f"{path}/edit", change).status_code == 303
    with hanyin.uow() as uow:
        entry = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "role.edit")).one()
        assert entry.before == {"permissions": ["area.view"]}
        assert entry.after == {"permissions": ["household.export"]}
    held = send(admin, f"{path}/delete", on=path.rsplit("/", 1)[0])
    assert held.status_code == 409
    on = f"/accounts/{account.id}"
    send(admin, f"{on}/grants/{grant_ids(hanyin, account.id)[0]}/remove", on=on)
    assert send(admin, f"{path}/delete", on=path).status_code == 303
    assert admin.get(path).status_code == 404
    assert send(admin, "/roles", {**data, "key": "Not ok!"}, on="/roles/new").status_code == 422
    assert send(admin, "/roles", {**data, "permissions": ["no.such"]}, on="/roles/new").status_code == 422


def test_a_role_never_gets_more_than_its_maker_has(hanyin: County) -> None:
    with hanyin.uow() as uow:
        uow.session.add(Role(key="clerk", name="角色员", permissions=["account.view", "role.manage"], template=OWN))
    clerk = hanyin.account("clerk")
    client = hanyin.client(clerk)
    data = {"key": "more", "name": "更多", "permissions": ["household.view"]}
    assert send(client, "/roles", data, on="/roles/new").status_code == 422
    with hanyin.uow() as uow:
        own = uow.session.scalars(select(Role).where(Role.key == "clerk")).one()
    more = {"name": "角色员", "permissions": ["account.view", "role.manage", "account.manage"], "version": "1"}
    assert send(client, f"/roles/{own.id}/edit", more).status_code == 422
    part = hanyin.client(hanyin.account("clerk", area=XUANWO))
    same = {"name": "改名", "permissions": ["account.view", "role.manage"], "version": "1"}
    assert send(part, f"/roles/{own.id}/edit", same).status_code == 403


def test_a_changed_role_survives_the_profile(tongyu: County) -> None:
    from pathlib import Path

    from xiangyue.tenancy import provision
    from xiangyue.tenancy.profile import load_profile

    admin = tongyu.client("county_admin")
    with tongyu.uow() as uow:
        role = uow.session.scalars(select(Role).where(Role.key == "grid_leader")).one()
    data = {"name": "网格员", "permissions": ["household.view"], "version": str(role.version)}
    assert send(admin, f"/roles/{role.id}/edit", data).status_code == 303
    folder = Path(tongyu.runtime.settings.profiles_dir) / "tongyu"
    provision.apply(tongyu.runtime, load_profile(folder))
    with tongyu.uow() as uow:
        role = uow.session.scalars(select(Role).where(Role.key == "grid_leader")).one()
    assert (role.name, role.permissions) == ("网格员", ["household.view"])


def test_a_role_that_demands_the_second_factor_sends_there_first(tongyu: County) -> None:
    admin = tongyu.client("county_admin")
    data = {"key": "strict", "name": "严格", "permissions": ["area.view"], "requires_totp": "1"}
    assert send(admin, "/roles", data, on="/roles/new").status_code == 303
    client = tongyu.client(tongyu.account("strict"))
    answer = client.get("/me")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/me/second-factor?next=")
    assert client.get(answer.headers["Location"]).status_code == 200
