"""Settings whose values are keys of the county's own things are chosen, in the page and by the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from test_plugin_pages import bearer, post
from tests.plugins_kit import planted

from xiangyue.app import create_app
from xiangyue.db.uow import Uow
from xiangyue.features.households.models import MarkKind
from xiangyue.features.plugins.service import set_plugin_settings
from xiangyue.features.plugins.settings_choices import award_choices, mark_choices
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.models import PluginFault, TenantPlugin
from xiangyue.runtime import Runtime
from xiangyue.tenancy.enablement import plugins_changed
from xiangyue.testing.fixtures import County
from xiangyue.testing.source import english_page_faults

NAME = "chosen"
PAGE = f"/settings/plugins/{NAME}"
KEY = validate.Regexp(r"[a-z_]+\Z")


def broken(_uow: Uow) -> Any:
    raise ZeroDivisionError


def none(_uow: Uow) -> Any:
    return []


class Chosen(Schema):
    marks = fields.List(
        fields.String(validate=KEY),
        load_default=lambda: ["disabled"],
        validate=validate.Length(max=3),
        metadata={"label": _l("Marks"), "choices": mark_choices},
    )
    award = fields.String(load_default="safe_family", metadata={"label": _l("Award"), "choices": award_choices})
    typed = fields.List(fields.String(), load_default=list, metadata={"label": _l("Keys"), "choices": broken})
    nothing = fields.List(fields.String(), load_default=list, metadata={"label": _l("Things"), "choices": none})


@pytest.fixture
def county(runtime: Runtime, hanyin: County) -> Iterator[County]:
    with planted(runtime, NAME, manifest={"settings": Chosen, "label": "试"}) as installed:
        assert (installed.state, str(installed.reason)) == ("ready", "")
        yield County(runtime, create_app(runtime=runtime), hanyin.info)
    with hanyin.uow() as uow:
        plugins_changed(uow)
        for model in (TenantPlugin, PluginFault):
            for row in uow.session.scalars(select(model)):
                uow.session.delete(row)


@pytest.fixture
def client(county: County) -> FlaskClient:
    return county.client("county_admin")


def kept(county: County, **values: Any) -> None:
    with county.uow() as uow:
        row = uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == NAME)).one_or_none()
        set_plugin_settings(uow, name=NAME, version=row.version if row is not None else 0, values=values)


def test_the_form_shows_the_countys_own_in_words(county: County, client: FlaskClient) -> None:
    page = client.get(PAGE).text
    with county.uow() as uow:
        kinds = mark_choices(uow)
    assert len(kinds) > 5
    for key, label in kinds:
        assert f'value="{key}"' in page
        assert label in page
    assert page.count('name="values.marks"') == len(kinds)
    assert page.count("checked") >= 1
    assert "<textarea" in page.split('name="values.typed"')[0][-300:]
    assert "本县没有可选的项目。" in page
    english = county.client(county.account("county_admin", locale="en")).get(PAGE).text
    assert "This county has none." in english
    assert not list(english_page_faults(english))
    with county.uow() as uow:
        hooks = {fault.hook for fault in uow.session.scalars(select(PluginFault))}
    assert hooks == {"settings:typed"}


def test_choosing_and_what_the_county_has_not(county: County, client: FlaskClient) -> None:
    saved = post(
        client, PAGE, **{"version": "0", "values.marks": ["disabled", "veteran"], "values.award": "safe_family"}
    )
    assert saved.status_code == 303
    strange = {"version": "1", "values.marks": ["disabled", "other"], "values.award": "safe_family"}
    refused = post(client, PAGE, **strange)
    assert refused.status_code == 422
    assert "本县没有“other”" in refused.text
    many = post(client, PAGE, **{**strange, "values.marks": ["disabled", "veteran", "monitored", "out_of_poverty"]})
    assert many.status_code == 422  # the schema's own rule
    wrong = post(client, PAGE, **{**strange, "values.marks": ["BAD"]})
    assert wrong.status_code == 422
    assert "本县没有“BAD”" not in wrong.text  # said once, by the schema


def test_a_key_that_is_gone_stays_and_is_named(county: County, client: FlaskClient) -> None:
    kept(county, marks=["disabled", "released"])
    page = client.get(PAGE).text
    assert "released（本县没有）" in page
    again = post(client, PAGE, **{"version": "1", "values.marks": ["released"], "values.award": "safe_family"})
    assert again.status_code == 303
    without = post(client, PAGE, **{"version": "2", "values.marks": ["disabled"], "values.award": "safe_family"})
    assert without.status_code == 303
    assert "released（" not in client.get(PAGE).text.split("settings-form")[1].split("</form>")[0]


def test_a_retired_mark_is_gone_too(county: County, client: FlaskClient) -> None:
    kept(county, marks=["veteran"])
    with county.uow() as uow:
        kind = uow.session.scalars(select(MarkKind).where(MarkKind.key == "veteran")).one()
        kind.active = False
    try:
        assert "veteran（本县没有）" in client.get(PAGE).text
    finally:
        with county.uow() as uow:
            uow.session.scalars(select(MarkKind).where(MarkKind.key == "veteran")).one().active = True


def test_the_api_tells_and_judges_the_choices(county: County) -> None:
    api, headers, address = county.client(), bearer(county), f"/api/v1/plugins/{NAME}"
    read = api.get(address, headers=headers)
    one_of = read.json["settings_schema"]["properties"]["marks"]["items"]["oneOf"]
    assert {"disabled", "veteran"} <= {one["const"] for one in one_of}
    assert all(one["title"] for one in one_of)
    match = {**headers, "If-Match": read.headers["ETag"]}
    refused = api.patch(address, json={"settings": {"marks": ["other"]}}, headers=match)
    assert refused.status_code == 422
    assert [e["path"] for e in refused.json["errors"]] == ["settings.marks"]
    changed = api.patch(address, json={"settings": {"marks": ["veteran"]}}, headers=match)
    assert changed.json["settings"]["marks"] == ["veteran"]
