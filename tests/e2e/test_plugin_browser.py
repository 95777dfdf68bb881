"""Plugins in the browser: a county switches one on, sets it, is refused, takes over what stands, deletes its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from tests.plugins_kit import distribution

from xiangyue.plugin.faults import write_fault
from xiangyue.plugin.models import TenantPlugin
from xiangyue.runtime import Runtime
from xiangyue.testing.fixtures import County
from xiangyue.testing.live import LiveServer, serve, wait_for
from xiangyue.testing.source import english_page_faults

SOURCE = """
from dataclasses import replace
from datetime import date

from marshmallow import Schema, fields, validate

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.registry import HouseholdPanel
{manifest}
VIEW = Permission("palette.view", _l("See households"))


class Limits(Schema):
    low = fields.Integer(load_default=50, validate=validate.Range(0, 100), metadata={"label": "Low", "unit": "%"})
    since = fields.Date(load_default=date(2026, 1, 1))


class Settings(Schema):
    share = fields.Integer(load_default=80, validate=validate.Range(0, 100), metadata={"label": "Share", "unit": "%"})
    basis = fields.String(load_default="head", validate=validate.OneOf(["head", "household"], ["Per head", "Per home"]))
    month = fields.Integer(load_default=1, validate=validate.OneOf(range(1, 13)))
    red_first = fields.Boolean(load_default=True, metadata={"help": "Red goes before the others."})
    colours = fields.List(fields.String(validate=validate.OneOf(["red", "green"])), load_default=["red"])
    words = fields.List(fields.String(), load_default=list)
    note = fields.String(load_default="", metadata={"multiline": True})
    table = fields.Dict(load_default=dict)
    limits = fields.Nested(Limits, load_default=dict, metadata={"label": "Limits", "help": "From and to."})


MANIFEST = replace(MANIFEST, settings=Settings)


@hookimpl
def register_permissions():
    return (VIEW,)


@hookimpl
def register_household_panels():
    return (HouseholdPanel("palette_panel", "Colour", VIEW, lambda uow, household_id: None),)
"""
#: Two plugins are loaded.
OWN_PROCESSES = True
PAGE = "/settings/plugins/palette"


@pytest.fixture(scope="module")
def live(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The module's runtime, served with two plugins: one that works and one that does not."""
    folder = tmp_path_factory.mktemp("plugins")
    log = tmp_path_factory.mktemp("live") / "processes.log"
    with (
        distribution(folder, "palette", SOURCE) as good,
        distribution(folder, "crooked", "raise RuntimeError('no palette')") as bad,
        serve(runtime, log, extra={"XIANGYUE_PLUGINS": "palette,crooked", "PYTHONPATH": f"{good}:{bad}"}) as server,
    ):
        yield server


def settings_of(county: County) -> Any:
    with county.uow() as uow:
        return uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == "palette")).one_or_none()


def confirm(page: Any) -> None:
    page.locator("dialog[open] button.btn-primary, dialog[open] button.btn-danger").click()


def test_a_county_switches_one_on_sets_it_and_off(
    live: LiveServer, hanyin: County, sign_in: Callable[..., Any], check_page: Callable[[Any], None]
) -> None:
    page = sign_in(hanyin, hanyin.account("county_admin"), width=360, path="/settings/plugins")
    page.goto(live.url(hanyin.host, "/settings/plugins"))
    check_page(page)
    page.click("text=Plugin palette")
    page.click("button:has-text('启用')")
    page.wait_for_selector("dialog[open]")
    check_page(page)
    confirm(page)
    page.wait_for_selector(".xy-alert-success")
    page.fill("[name='values.share']", "170")
    page.uncheck("[name='values.red_first']")
    page.click("button:has-text('保存设置')")
    page.wait_for_selector(".xy-summary")
    assert page.input_value("[name='values.share']") == "170"
    assert not page.is_checked("[name='values.red_first']")
    check_page(page)
    with hanyin.uow() as uow:  # meanwhile somebody else saves
        row = uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == "palette")).one()
        row.settings, row.version = {"share": 61, "colours": ["green"]}, row.version + 1
    page.fill("[name='values.share']", "70")
    page.click("button:has-text('保存设置')")
    page.wait_for_selector(".xy-conflict")
    check_page(page)
    page.click("[data-take='#settings-form-values-share']")
    page.click("[data-take='#settings-form-values-colours']")
    assert page.input_value("[name='values.share']") == "61"
    page.click("button:has-text('保存设置')")
    page.wait_for_selector(".xy-alert-success")
    stood = settings_of(hanyin)
    assert (stood.settings["share"], stood.settings["colours"], stood.settings["red_first"]) == (61, ["green"], False)
    page.click("button:has-text('停用')")
    confirm(page)
    page.wait_for_selector("#purge")
    check_page(page)
    page.fill("[name=confirm]", "palette")
    page.locator("#purge button.btn-danger").click()
    confirm(page)
    page.wait_for_selector(".xy-alert-success")
    assert wait_for(lambda: settings_of(hanyin) is None)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("width", [360, 1440])
def test_its_pages(
    live: LiveServer,
    runtime: Runtime,
    hanyin: County,
    operator: County,
    sign_in: Callable[..., Any],
    check_page: Callable[[Any], None],
    locale: str,
    width: int,
) -> None:
    for number in (1, 2):
        line = f"ZeroDivisionError: division by zero (panels.py:{number})"
        trace = "xiangyue_palette/panels.py:12 build\n    return " + "total_of_the_household_and_its_neighbours + " * 9
        write_fault(runtime.engine, hanyin.info.id, "palette", "household_panels:palette_panel", line, trace)
    for county, role, paths in (
        (hanyin, "county_admin", ["/settings", "/settings/plugins", PAGE, "/settings/plugins/crooked"]),
        (operator, "operator_admin", ["/console/plugins", "/console/plugins/palette", "/console/plugins/crooked"]),
    ):
        page = sign_in(county, county.account(role, locale=locale, area=0 if county is operator else None), width=width)
        noise: list[str] = []
        page.on("console", lambda m, noise=noise: noise.append(m.text) if m.type in ("error", "warning") else None)
        for path in paths:
            answer = page.goto(live.url(county.host, path))
            assert (path, answer.status) == (path, 200)
            for details in page.locator("details").all():
                details.evaluate("d => { d.open = true }")
            check_page(page)
            if locale == "en":
                assert english_page_faults(page.content()) == [], path
        assert noise == []
