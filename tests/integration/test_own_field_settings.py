"""The county's own fields in its settings: kind, choices, order, usage; and what the profile may do to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from households_kit import VILLAGE, hidden
from sqlalchemy import delete, func, select

from xiangyue.access.models import AuditEntry
from xiangyue.errors import Conflict, Invalid
from xiangyue.features.households.models import CustomField, CustomValue, Household
from xiangyue.features.households.profile import apply_custom_fields
from xiangyue.features.settings import service
from xiangyue.features.settings.policy import SETTINGS_EDIT
from xiangyue.features.settings.queries import FIELDS, version_of
from xiangyue.tenancy.profile import load_profile
from xiangyue.tenancy.profile_types import CustomFieldSpec, OptionSpec
from xiangyue.testing.fixtures import ROOT, County
from xiangyue.testing.source import english_page_faults

ROOFS = (OptionSpec("tile", "瓦", "Tile"), OptionSpec("flat", "平", "Flat"))
WELL = CustomFieldSpec("household", "well", "text", "水井", "Well")
ROOF = CustomFieldSpec("household", "roof", "choice", "屋顶", "Roof", options=ROOFS)


@pytest.fixture(name="county")
def empty_of_fields(tongyu: County) -> Iterator[County]:
    def clear() -> None:
        with tongyu.uow() as uow:
            for model in (CustomValue, CustomField):
                uow.session.execute(delete(model))

    clear()
    yield tongyu
    clear()


def apply(county: County, *fields: CustomFieldSpec) -> list[str]:
    profile = replace(load_profile(ROOT / "tenants" / "tongyu"), custom_fields=fields)
    with county.uow() as uow:
        return [str(c) for c in apply_custom_fields(uow, profile, county.runtime.registry)]


def field(county: County, key: str) -> CustomField:
    with county.uow() as uow:
        return uow.session.scalars(select(CustomField).where(CustomField.key == key)).one()


def add(county: County, name: str, **values: Any) -> CustomField:
    with county.uow(county.actor(SETTINGS_EDIT)) as uow:
        found: CustomField = service.add_kind(
            uow, spec=FIELDS, values={"name": name, "name_en": name, "entity": "household", "type": "text", **values}
        )
        return found


def edit(county: County, row: CustomField, **values: Any) -> CustomField:
    with county.uow(county.actor(SETTINGS_EDIT)) as uow:
        found: CustomField = service.edit_kind(
            uow, spec=FIELDS, id=row.id, version=version_of(row, FIELDS), values=values
        )
        return found


def record(county: County, row: CustomField, *texts: str) -> None:
    with county.uow() as uow:
        for owner, text in enumerate(texts, 1):
            uow.session.add(CustomValue(field_id=row.id, owner_id=owner, area_code=VILLAGE, text_value=text))


def names_in_order(county: County, keys: Sequence[str]) -> list[str]:
    with county.uow() as uow:
        statement = select(CustomField.key).where(CustomField.key.in_(keys), CustomField.active)
        return list(uow.session.scalars(statement.order_by(CustomField.position)))


def test_the_profile_leaves_alone_what_the_county_added_ordered_and_retired(county: County) -> None:
    apply(county, WELL, ROOF)
    mine = add(county, "Mine")
    with county.uow(county.actor(SETTINGS_EDIT)) as uow:
        service.order_fields(uow, entity="household", keys=["mine", "roof", "well"])
    edit(county, field(county, "roof"), active=False)
    edit(county, field(county, "well"), name="井")
    assert len(apply(county, WELL, ROOF)) == 1, "the name alone"
    assert field(county, "well").name == "水井"
    assert names_in_order(county, ["mine", "roof", "well"]) == ["mine", "well"]
    assert (field(county, "mine").active, mine.from_profile) == (True, False)
    apply(county, ROOF)
    assert (field(county, "well").active, field(county, "well").from_profile) == (False, False)
    apply(county, WELL, ROOF)
    assert field(county, "well").active is True
    assert apply(county, WELL, ROOF) == []


def test_the_profile_may_not_make_records_unreadable(county: County) -> None:
    apply(county, WELL, ROOF)
    record(county, field(county, "well"), "a", "b")
    record(county, field(county, "roof"), "tile")
    with pytest.raises(Conflict, match="2"):
        apply(county, replace(WELL, type="integer"), ROOF)
    with pytest.raises(Conflict, match="1"):
        apply(county, WELL, replace(ROOF, options=ROOFS[1:]))
    apply(county, WELL, replace(ROOF, options=ROOFS[:1]))
    assert [o["key"] for o in field(county, "roof").options] == ["tile"]


def test_the_kind_changes_while_nothing_is_recorded(county: County) -> None:
    row = add(county, "Mine")
    row = edit(county, row, type="choice", options=[{"key": "", "name": "甲", "name_en": "A"}])
    assert (row.type, [o["key"] for o in row.options]) == ("choice", ["a"])
    with pytest.raises(Invalid) as error:
        edit(county, edit(county, row, type="integer"), type="choice")
    assert list(error.value.fields) == ["options"]
    row = edit(county, field(county, "mine"), type="text")
    assert (row.type, row.options) == ("text", [])
    record(county, row, "x", "y", "z")
    with pytest.raises(Invalid) as error:
        edit(county, row, type="integer")
    assert "3" in str(error.value.fields["type"][0])


def test_usage_links_order_and_refusals_in_the_pages(county: County) -> None:
    apply(county, WELL, ROOF)
    record(county, field(county, "roof"), "tile", "tile")
    add(county, "Mine")
    client = county.client("county_admin", locale="en")
    page = client.get("/settings/custom-fields").text
    assert english_page_faults(page) == []
    assert "the profile" in page
    assert "/households?area=all&amp;state=all&amp;custom.roof.filled=yes" in page
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]
    mine = field(county, "mine").id
    for way, order in (
        ("up", ["well", "mine", "roof"]),
        ("up", ["mine", "well", "roof"]),
        ("up", None),
        ("down", None),
    ):
        sent = client.post(f"/settings/custom-fields/{mine}/move", data={"csrf_token": token, "to": way})
        assert sent.status_code == 303
        if order:
            assert names_in_order(county, ["well", "mine", "roof"]) == order
    assert names_in_order(county, ["well", "mine", "roof"]) == ["well", "mine", "roof"]
    with county.uow() as uow:
        moves = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "custom_field.order")).all()
        assert [(m.before["fields"][0], m.after["fields"][0]) for m in moves[-3:]] == [  # type: ignore[index]
            ("well", "well"), ("well", "mine"), ("mine", "well"),
        ]  # fmt: skip
    path = f"/settings/custom-fields/{field(county, 'roof').id}"
    form = client.get(path).text
    assert "2 records have a value" in form
    assert "custom.roof=tile" in form
    assert english_page_faults(form) == []
    version = re.findall(r'name="version" value="(\d+)"', form)[-1]
    sent = {
        "csrf_token": token, "version": version, "name": "屋顶", "name_en": "Roof",
        "option_key": ["tile", "flat"], "option_name": ["", "平顶"], "option_name_en": ["", "Flat"],
    }  # fmt: skip
    refused = client.post(path, data=sent)
    assert refused.status_code == 422
    assert "2 records have it" in refused.text
    assert "See the records with “Tile”" in refused.text
    assert 'value="平顶"' in refused.text
    assert client.post(path, data={**sent, "type": "text"}).status_code == 422
    audit = county.client("auditor", locale="en").get("/audit?action=custom_field.order").text
    assert re.search(r"Well, Roof, Mine.*Well, Mine, Roof", re.sub(r"<[^>]+>", "", audit), re.DOTALL)
    assert "Own fields put in another order" in audit


def test_order_by_the_api(county: County) -> None:
    apply(county, WELL, ROOF)
    with pytest.raises(Invalid), county.uow(county.actor(SETTINGS_EDIT)) as uow:
        service.order_fields(uow, entity="household", keys=["roof"])
    with county.uow(county.actor(SETTINGS_EDIT)) as uow:
        service.order_fields(uow, entity="household", keys=["roof", "well"])
    assert names_in_order(county, ["well", "roof"]) == ["roof", "well"]


def test_a_field_that_must_be_filled_in_says_who_lacks_it(county: County) -> None:
    with county.uow() as uow:
        home = Household(area_code=VILLAGE, code=f"{VILLAGE // 1000}9999", head_name="甲", address="")
        uow.session.add(home)
        uow.session.flush()
        id = home.id
        key = uow.session.scalars(select(func.count()).select_from(Household).where(Household.state == "active")).one()
    row = add(county, "井深")
    admin = county.account("county_admin")
    client, url = county.client(admin), f"/settings/custom-fields/{row.id}"
    before = client.get(url).text
    assert f"{key} 户没有填写" in before
    assert "都要有这一列" not in before
    data = {"csrf_token": hidden(before, "csrf_token"), "version": str(version_of(row, FIELDS)), "name": "井深",
            "name_en": "depth", "type": "text", "required": "1"}  # fmt: skip
    sent = client.post(url, data=data)
    assert sent.headers["Location"] == url
    shown = client.get(url).text
    assert "都要有这一列" in shown
    found = re.search(r'href="(/households[?][^"]*filled=no)"', shown)
    assert found is not None
    assert f"{key} 户" in client.get(found[1].replace("&amp;", "&")).text
    listed = client.get("/api/v1/custom-fields", headers=county.bearer(admin)).json["items"]
    assert [(one["key"], one["lacking"]) for one in listed] == [(row.key, key)]
    with county.uow() as uow:
        uow.session.execute(delete(Household).where(Household.id == id))
