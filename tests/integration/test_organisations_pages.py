"""Pages of organisations: what one sees, what comes back on errors, who may not, the public card."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from households_kit import OTHER_TOWN, VILLAGE, entries, hidden, post, text
from organisations_kit import appointed, cleared, county, organisation, person, post_id
from sqlalchemy import select

from xiangyue.features.households.derived import rewrite_suffixes
from xiangyue.features.households.models import Person
from xiangyue.features.households.person_input import today
from xiangyue.features.organisations.figures import figures
from xiangyue.features.organisations.models import Organisation, OrganisationElection, PostHolder
from xiangyue.features.organisations.policy import EXPORT, VIEW
from xiangyue.features.organisations.queries import OrganisationFilter
from xiangyue.testing.fixtures import County
from xiangyue.testing.sheets import sheet_words
from xiangyue.testing.source import english_page_faults

__all__ = ["cleared", "county"]


@pytest.fixture(scope="module")
def client(county: County) -> Any:
    return county.client("county_admin")


def holder(county: County) -> PostHolder:
    with county.uow() as uow:
        return uow.session.scalars(select(PostHolder).order_by(PostHolder.id.desc())).first()  # type: ignore[return-value]


def test_an_organisation_is_recorded_and_its_input_survives_errors(county: County, client: Any) -> None:
    form = f"/organisations/new?area={VILLAGE // 1000}"
    assert "村民委员会" in text(client, form)
    typed = {"kind": "village_committee", "area": str(VILLAGE), "name": "东南村村民委员会", "term_from": "昨天也许"}
    wrong = post(client, form, "/organisations", **typed)
    assert wrong.status_code == 422
    assert "昨天也许" in wrong.text
    assert "东南村村民委员会" in wrong.text
    made = post(client, form, "/organisations", **{**typed, "term_from": "2024-03-01"})
    assert made.status_code == 303
    page = text(client, made.headers["Location"])
    assert "空缺1名" in page
    assert "村民委员会组织法第六条" in page
    assert "东南村村民委员会" in text(client, f"/areas/{VILLAGE // 1000}")
    assert "东南村村民委员会" in text(client, "/organisations?open=vacant")
    assert "东南村村民委员会" not in text(client, "/organisations?kind=party_branch")
    assert client.get("/organisations?kind=nonsense").status_code == 303
    other = county.client("village", area=OTHER_TOWN)
    assert other.get(made.headers["Location"]).status_code == 404
    assert county.client("auditor").get("/organisations/new").status_code == 403


def test_somebody_takes_a_post_up_by_name(county: County, client: Any) -> None:
    committee = organisation(county)
    url = f"/organisations/posts/{post_id(county, committee, 'head')}/appoint"
    typed = {"who": "不存在", "valid_from": "2024-03-01", "way": "elected", "decided_on": "2024-02-20", "votes": "300"}
    nobody = post(client, url, url, **typed)
    assert nobody.status_code == 422
    assert "册外人员" in nobody.text
    assert 'value="300"' in nobody.text
    assert post(client, url, url, **{**typed, "who": "王建国"}).status_code == 303
    page = text(client, f"/organisations/{committee.id}")
    assert "王建国" in page
    assert "300" in page
    full = post(client, url, url, **{**typed, "who": "赵永红"})
    assert full.status_code == 422
    assert "任期重叠" in full.text
    assert "王建国" in full.text
    assert f'href="/organisations/{committee.id}"' in text(client, f"/persons/{person(county, '王建国')}")


def test_two_of_one_name_are_chosen_between(county: County, client: Any) -> None:
    committee = organisation(county)
    url = f"/organisations/posts/{post_id(county, committee, 'head')}/appoint"
    with county.uow() as uow:
        twin = uow.session.scalars(select(Person).where(Person.name == "孙立")).one()
        twin.name = "赵永红"
        number = twin.id
        uow.session.flush()
        rewrite_suffixes(uow, [number])
    try:
        typed = {"who": "赵永红", "valid_from": "2024-03-01", "way": "appointed"}
        asked = post(client, url, url, **typed)
        assert asked.status_code == 422
        assert asked.text.count('name="person"') == 2
        assert post(client, url, url, **typed, person=str(number)).status_code == 303
        assert holder(county).person_id == number
    finally:
        with county.uow() as uow:
            twin = uow.session.scalars(select(Person).where(Person.id == number)).one()
            twin.name = "孙立"
            uow.session.flush()
            rewrite_suffixes(uow, [number])


def test_a_relative_in_doubt_is_taken_with_a_reason_and_a_near_one_never(county: County, client: Any) -> None:
    committee, supervision = organisation(county), organisation(county, "supervision_committee")
    appointed(county, committee, "head", "王建国")
    url = f"/organisations/posts/{post_id(county, supervision, 'member')}/appoint"
    typed = {"valid_from": "2025-03-01", "way": "recommended", "decided_on": "2025-02-20"}
    near = post(client, url, url, **typed, who="陈桂兰")
    assert near.status_code == 422
    assert "夫妻" in near.text
    assert "第三十二条" in near.text
    assert 'name="doubt_reason"' not in near.text
    doubt = post(client, url, url, **typed, who="李春花")
    assert doubt.status_code == 422
    assert 'name="doubt_reason"' in doubt.text
    assert post(client, url, url, **typed, who="李春花", doubt_reason="镇里已核实").status_code == 303
    page = text(client, f"/organisations/{supervision.id}")
    assert "镇里已核实" in page
    reader = text(county.client("auditor"), f"/organisations/{supervision.id}")
    assert "李春花" in reader
    assert "镇里已核实" not in reader


def test_who_moved_away_is_pointed_out_where_work_is_and_ended(county: County, client: Any) -> None:
    committee = organisation(county)
    row = appointed(county, committee, "head", "周全")
    with county.uow() as uow:
        who = uow.session.scalars(select(Person).where(Person.name == "周全")).one()
        who.state, who.left_on = "moved", today()
    try:
        assert "仍在" in text(client, "/")
        assert "任职人已离开" in text(client, "/organisations?open=gone")
        page = text(client, f"/organisations/holders/{row.id}")
        assert 'value="moved" selected' in page
        early = post(client, f"/organisations/holders/{row.id}", f"/organisations/holders/{row.id}/end",
                     version="1", on="2020-01-01", reason="moved")  # fmt: skip
        assert early.status_code == 422
        ended = post(client, f"/organisations/holders/{row.id}", f"/organisations/holders/{row.id}/end",
                     version="1", on=today().isoformat(), reason="moved")  # fmt: skip
        assert ended.status_code == 303
        assert "周全" in text(client, f"/organisations/{committee.id}"), "in the history"
    finally:
        with county.uow() as uow:
            who = uow.session.scalars(select(Person).where(Person.name == "周全")).one()
            who.state, who.left_on = "active", None


def test_a_whole_committee_is_elected_in_one_form_and_taken_back(county: County, client: Any) -> None:
    committee = organisation(county, term_from="2020-03-01")
    for key, name in (("head", "王建国"), ("member", "赵永红"), ("member", "孙立")):
        appointed(county, committee, key, name, date(2020, 3, 1))
    url = f"/organisations/{committee.id}/election"
    form = text(client, url)
    assert f"王建国 #{person(county, '王建国')}" in form
    head, member = (post_id(county, committee, key) for key in ("head", "member"))
    typed = {
        "version": hidden(form, "version"), "term_from": "2025-03-01", "decided_on": "2025-02-20", "way": "elected",
        "voters": "900", "votes_cast": "800", f"p{head}-0-who": "赵永红", f"p{head}-0-votes": "700",
        f"p{member}-0-who": "谁也不是", f"p{member}-1-who": "孙立",
    }  # fmt: skip
    wrong = post(client, url, url, **typed)
    assert wrong.status_code == 422
    assert "谁也不是" in wrong.text
    assert 'value="700"' in wrong.text
    minor = post(client, url, url, **{**typed, f"p{member}-0-who": "王苗苗"})
    assert minor.status_code == 422
    assert "未满18周岁" in minor.text
    done = post(client, url, url, **{**typed, f"p{member}-0-who": ""})
    assert done.status_code == 303
    page = text(client, f"/organisations/{committee.id}")
    assert "换届未连任" in page
    assert "连任" in page
    before = text(client, f"/organisations/{committee.id}?on=2025-02-28")
    assert "王建国" in before
    with county.uow() as uow:
        election = uow.session.scalars(select(OrganisationElection)).one()
    back = post(client, f"/organisations/{committee.id}", f"/organisations/elections/{election.id}/undo",
                version=str(election.version), organisation=str(committee.id))  # fmt: skip
    assert back.status_code == 303
    assert "换届未连任" not in text(client, f"/organisations/{committee.id}")


def test_the_public_card_shows_names_and_posts_and_nothing_else(county: County, client: Any) -> None:
    committee = organisation(county, card_phone="0915-5200000", card_text="周一到周五值班")
    appointed(county, committee, "head", "王建国", votes=300, note="备注不公开")
    assert post(client, f"/organisations/{committee.id}", f"/organisations/{committee.id}/card",
                version="1", open="1").status_code == 303  # fmt: skip
    with county.uow() as uow:
        token = uow.get(Organisation, committee.id).card_token
    page = county.client(None).get(f"/public/organisations/{token}")
    assert page.status_code == 200
    assert "王建国" in page.text
    assert "0915-5200000" in page.text
    assert len(page.data) < 100_000
    for secret in ("备注不公开", "1970", "300", f"/persons/{person(county, '王建国')}"):
        assert secret not in re.sub(r'src="data:[^"]*"', "", page.text), secret
    with client.get(f"/organisations/{committee.id}/card.pdf") as sheet:
        (words,) = sheet_words(bytes(sheet.data))
    for wanted in ("王建国", "0915-5200000", "周一到周五值班"):
        assert wanted in words, wanted
    for secret in ("备注不公开", "1970"):
        assert secret not in words, secret
    assert post(client, f"/organisations/{committee.id}", f"/organisations/{committee.id}/card",
                version="2", open="0").status_code == 303  # fmt: skip
    assert county.client(None).get(f"/public/organisations/{token}").status_code == 404
    assert client.get(f"/organisations/{committee.id}/card.pdf").status_code == 404
    branch = organisation(county, "party_group")
    text(client, "/organisations")  # where the flash is shown
    assert "公示牌" not in text(client, f"/organisations/{branch.id}")


def test_list_and_roster_are_exported_for_a_purpose(county: County, client: Any) -> None:
    committee = organisation(county, name="东南村村民委员会")
    appointed(county, committee, "head", "王建国", votes=300)
    ask = text(client, "/organisations/export?kind=village_committee")
    assert "东南村" not in ask
    for path, wanted in (("export", "王建国"), ("roster", "王建国")):
        url = f"/organisations/{path}?kind=village_committee"
        assert post(client, url, url, purpose="", format="xlsx").status_code == 422
        sent = post(client, url, url, purpose="换届核对", format="xlsx")
        assert sent.status_code == 200
        book = openpyxl.load_workbook(BytesIO(sent.data))
        cells = {str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row}
        assert wanted in cells
        assert "东南村村民委员会" in cells
    assert entries(county, "organisation.export")[-1].purpose == "换届核对"
    reader = county.client(county.account_with(VIEW))
    assert reader.get("/organisations/export").status_code == 403
    assert "/organisations/export" not in text(reader, "/organisations")
    assert EXPORT.name == "organisation.export"


def test_figures_over_office_holders(county: County, client: Any) -> None:
    committee, branch = organisation(county, name="村委会"), organisation(county, "party_branch", "支部")
    appointed(county, committee, "head", "王建国")
    appointed(county, committee, "member", "陈桂兰")
    appointed(county, branch, "secretary", "王建国")
    with county.uow() as uow:
        made = figures(uow, OrganisationFilter(area=VILLAGE, on=date(2026, 3, 2)))
    told = [(one.key, one.organisations, one.people, one.women, one.mean, one.band("to_55"), one.band("above")) for one
            in made]  # fmt: skip
    assert told == [
        ("party_branch", 1, 1, 0, 56.0, 0, 1), ("village_committee", 1, 2, 1, 55.0, 1, 1), ("all", 2, 2, 1, 55.0, 1, 1),
    ]  # fmt: skip
    page = text(client, "/organisations/figures?family=self_government")
    assert "50.0%" in page
    assert "合计" not in page
    url = "/organisations/figures/export?family=self_government&cols=kind,people,women"
    sent = post(client, url, url, purpose="换届统计", format="csv")
    lines = sent.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[:2] == ["组织类型,任职人数,女性", "村民委员会,2,1"]
    reader = county.client(county.account_with(VIEW))
    assert reader.get("/organisations/figures").status_code == 200
    assert reader.get("/organisations/figures/export").status_code == 403


def test_what_was_recorded_by_mistake_is_taken_out(county: County, client: Any) -> None:
    committee = organisation(county)
    below = organisation(county, "party_group", parent_id=str(committee.id))
    row = appointed(county, committee, "head", "王建国")
    page = f"/organisations/{committee.id}"
    refused = post(client, page, f"{page}/remove", version="1", reason="录错了村")
    assert refused.status_code == 409
    assert "任职记录 1；下级组织 1" in refused.text or "任职记录 1; 下级组织 1" in refused.text
    assert post(client, page, f"/organisations/{below.id}/remove", version="1", reason="").status_code == 422
    assert post(client, page, f"/organisations/{below.id}/remove", version="1", reason="录错").status_code == 303
    taken = f"/organisations/holders/{row.id}"
    assert post(client, taken, f"{taken}/remove", version="1", reason="录错了人").status_code == 303
    done = post(client, page, f"{page}/remove", version="1", reason="录错了村")
    assert done.headers["Location"] == "/organisations"
    assert client.get(page).status_code == 404
    assert entries(county, "organisation.remove")[-1].purpose == "录错了村"


def test_posts_and_seats_are_changed_and_the_end_is_taken_back(county: County, client: Any) -> None:
    committee = organisation(county)
    appointed(county, committee, "head", "王建国")
    page = f"/organisations/{committee.id}"
    added = post(client, page, f"{page}/posts", name="文书", seats_max="1")
    assert added.status_code == 303
    assert "文书" in text(client, page)
    head = post_id(county, committee, "head")
    wrong = post(client, page, f"/organisations/posts/{head}", version="1", name="主任", seats_min="5", seats_max="1")
    assert wrong.status_code == 422
    assert "名额上限少于下限" in wrong.text
    short = post(client, page, f"{page}/dissolve", version="1", on="2025-01-01", reason="")
    assert short.status_code == 422
    assert post(client, page, f"{page}/dissolve", version="1", on="2025-01-01", reason="村组合并").status_code == 303
    assert "村组合并" in text(client, page)
    assert f'href="{page}"' not in text(client, "/organisations")
    assert post(client, page, f"{page}/reopen", version="2").status_code == 303
    assert "王建国" in text(client, page)


def test_pages_are_complete_in_english(county: County) -> None:
    english = county.client(county.account("county_admin", locale="en"))
    committee = organisation(county, name="东南村村民委员会", term_until="2020-01-01")
    row = appointed(county, committee, "head", "王建国")
    paths = ("", "/figures", "/kinds", "/new", f"/{committee.id}", f"/{committee.id}/edit", f"/{committee.id}/election",
             f"/holders/{row.id}", f"/posts/{row.post_id}/appoint")  # fmt: skip
    for path in paths:
        assert english_page_faults(text(english, f"/organisations{path}")) == [], path
