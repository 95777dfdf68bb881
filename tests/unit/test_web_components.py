"""The page of all components, as the templates draw it: both languages, nothing that the page's policy forbids."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, render_template, request
from jinja2 import StrictUndefined

from xiangyue import i18n
from xiangyue.web import assets, templating
from xiangyue.web.samples import component_samples

WEB = Path(assets.__file__).parent
CHINESE = re.compile(r"[\u3400-\u9fff]")
SITE = SimpleNamespace(name="汉阴县", name_en="Hanyin", kind="county")


@pytest.fixture
def app() -> Flask:
    i18n.add_catalogue(WEB / "translations")
    app = Flask("components", template_folder=str(WEB / "templates"), static_folder=None)
    env = app.jinja_env
    env.undefined = StrictUndefined
    templating.install(env)
    env.globals.update(asset=lambda name: f"/static/dist/{name}", csrf_token=lambda: "token")
    return app


def shell(locale: str) -> dict[str, Any]:
    item = {"label": "Households", "url": "/h", "icon": "home", "active": True, "count": 1234, "late": True}
    switch = SimpleNamespace(
        current_label="漩涡镇", crumbs=[("汉阴县", "/")], options=[(610921101000000, "上七村", "/")], url_clear="/"
    )
    return {
        "site": SITE,
        "actor": SimpleNamespace(name="李某", login="li"),
        "nav": [{"label": "People", "items": [item]}],
        "tabs": [item],
        "area_switch": switch,
        "locale": locale,
        "flashes": [("success", "Saved.")],
        "request_id": "0af76519",
        "large_text": False,
    }


def drawn(app: Flask, locale: str, template: str = "dev/components.html", **more: Any) -> str:
    with app.test_request_context("/dev/components?color=red&sort=-size"), i18n.in_locale(locale):
        context = {**shell(locale), **component_samples(request.args, "/dev/components"), **more}
        return render_template(template, **context)


def without_marked_chinese(html: str) -> str:
    """Attributes and elements that are marked as Chinese taken out (they hold no nested element of their kind)."""
    return re.sub(r"<(\w+)[^>]*\blang=\"zh-CN\"[^>]*>.*?</\1>", "", html, flags=re.S)


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_component_draws_within_the_pages_policy(app: Flask, locale: str) -> None:
    html = drawn(app, locale)
    assert re.findall(r"<[^>]+\sstyle=", html) == []
    assert re.findall(r"<[^>]+\son\w+=", html) == []
    scripts = re.findall(r"<script\b([^>]*)>", html)
    assert [s for s in scripts if "src=" not in s and "application/json" not in s] == []
    assert "<style" not in html


def test_ids_are_unique_and_every_reference_leads_somewhere(app: Flask) -> None:
    html = drawn(app, "en")
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'(?:\sfor|aria-labelledby|aria-controls)="([^"]+)"', html)
    described = [i for group in re.findall(r'aria-describedby="([^"]+)"', html) for i in group.split()]
    assert {*referred, *described} <= set(ids)


def test_an_error_stands_at_its_field_and_in_the_summary(app: Flask) -> None:
    html = drawn(app, "en")
    assert '<a href="#wrong-name">Name</a>: Give the name of the household head.' in html
    field = re.search(r'<input[^>]*id="wrong-name"[^>]*>', html)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert "wrong-name-error" in field[0]


def test_the_whole_sample_is_english_apart_from_marked_data(app: Flask) -> None:
    # What people wrote (timeline), typed values and chart data for the script are data in places that take no mark.
    html = without_marked_chinese(drawn(app, "en", timeline=[], charts_=[]))
    html = re.sub(r'<input[^>]*>|data-take-value="[^"]*"|aria-label="[^"]*漩涡镇[^"]*"', "", html)
    assert CHINESE.findall(html) == []


def test_the_chinese_page_has_no_untranslated_texts_of_the_shell(app: Flask) -> None:
    html = drawn(app, "zh")
    for text in ("跳到正文", "退出登录", "导出本表", "可不填", "取消"):
        assert text in html


def test_error_page_escapes_and_gives_the_number(app: Flask) -> None:
    html = drawn(app, "zh", "errors/error.html", title="没有找到", message="<b>x</b>", fields={"a": ["坏"]})
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "<li>坏</li>" in html
    assert "0af76519" in html
    assert "<script" not in html


def test_public_page_is_small_and_needs_no_script(app: Flask) -> None:
    html = drawn(app, "en", "public.html")
    assert "<script" not in html
    assert len(html) < 10_000


def test_assets_are_found_by_their_stable_name(tmp_path: Path) -> None:
    with pytest.raises(assets.AssetsNotBuilt, match="make frontend"):
        assets.manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"app.js": "app-0.js"}))
    assert assets.manifest(tmp_path) == {"app.js": "app-0.js"}


def test_static_files_come_compressed_to_those_who_take_it(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    (tmp_path / "a.css.gz").write_bytes(gzip.compress(b"a{}"))
    (tmp_path / "b.css").write_text("b{}")
    app = Flask("static", static_folder=str(tmp_path), static_url_path="/static")
    app.view_functions["static"] = assets.serve_static
    client = app.test_client()
    with client.get("/static/a.css", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.mimetype == "text/css"
        assert gzip.decompress(packed.data) == b"a{}"
        assert "Accept-Encoding" in packed.headers["Vary"]
    with client.get("/static/a.css") as plain:
        assert plain.data == b"a{}"
        assert "Content-Encoding" not in plain.headers
    with client.get("/static/b.css", headers={"Accept-Encoding": "gzip"}) as single:
        assert single.data == b"b{}"
    with client.get("/static/../conftest.py", headers={"Accept-Encoding": "gzip"}) as outside:
        assert outside.status_code == 404
