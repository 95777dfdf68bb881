from __future__ import annotations
import re
import pytest
from sqlalchemy import select
from xiangyue.access.models import Role, Account
from xiangyue.testing.fixtures import PASSWORD

def test_shots(live, hanyin, sign_in, new_page, check_page):
    from xiangyue.features.demo import ensure_accounts
    ensure_accounts(hanyin.runtime)
    admin = hanyin.account("county_admin", name="陈示范", post="县社会工作部")
    with hanyin.uow() as uow:
        town = uow.session.scalars(select(Account.id).where(Account.login == "xuanwo")).one()
        role = uow.session.scalars(select(Role.id).where(Role.key == "town")).one()
    fails = []
    paths = {"me": "/me", "password": "/me/password", "totp": "/me/second-factor", "token": "/me/tokens/new", "list": "/accounts",
      "new": "/accounts/new", "show": f"/accounts/{town}", "rights": f"/accounts/{town}/rights?permission=household.view&area=610921107202000",
      "roles": "/roles", "role": f"/roles/{role}", "roleedit": f"/roles/{role}/edit", "edit": f"/accounts/{town}/edit"}
    for english in (False, True):
        for width in (360, 1440):
            tag = f"{'en' if english else 'zh'}-{width}"
            anon = new_page(width)
            anon.goto(live.url(hanyin.host, "/sign-in?expired=1"))
            if english:
                anon.locator("form:has(input[name=locale][value=en]) button, button[name=locale][value=en]").first.click()
                anon.wait_for_selector("html[lang=en]")
            anon.fill("input[name=login]", "nobody"); anon.fill("input[name=password]", "x"); anon.press("input[name=password]", "Enter")
            anon.wait_for_selector("[role=alert]")
            anon.screenshot(path=f"/tmp/shots_acc/signin-{tag}.png", full_page=True)
            try: check_page(anon)
            except AssertionError as e: fails.append((tag, str(e)[:600]))
            page = sign_in(hanyin, admin, width=width, path="/me")
            with hanyin.uow() as uow:
                uow.get_for_update(Account, admin.id).locale = "en" if english else "zh"
            for name, path in paths.items():
                page.goto(live.url(hanyin.host, path))
                page.screenshot(path=f"/tmp/shots_acc/{name}-{tag}.png", full_page=True)
                try: check_page(page)
                except AssertionError as e: fails.append((tag, str(e)[:600]))
            page.context.close()
    for f in fails: print(f)
    assert not fails
