"""No SQL round the scope; no Chinese in code or templates; every message translated. Each gate catches a plant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xiangyue import i18n
from xiangyue.runtime import Runtime
from xiangyue.testing.source import (
    chinese_faults,
    chinese_page_faults,
    english_page_faults,
    half_width,
    messages,
    python_files,
    sql_faults,
    template_chinese_faults,
)

CORE = Path(__file__).resolve().parents[2] / "core" / "xiangyue"

#: Where SQL without a scope may stand, and why.
UNSCOPED = {
    "db/": "the doors themselves",
    "testing/": "reads the catalogue as the owning role",
    "local/": "sets up servers, before there is any tenant",
    "tenancy/directory.py": "the global directory, read before a tenant is known",
    "tenancy/provision.py": "writes the global directory",
    "web/health.py": "probes without a tenant",
}


def relative(path: Path) -> Path:
    return path.relative_to(CORE)


def test_no_sql_goes_round_the_scope() -> None:
    faults = []
    for path in python_files(CORE, skip=UNSCOPED):
        source = path.read_text("utf-8")
        allowed = path.name.startswith("models")  # server defaults and constraints
        faults += [f for f in sql_faults(relative(path), source) if not (allowed and "text()" in f)]
    assert faults == []


@pytest.mark.parametrize(
    "offender",
    [
        "from sqlalchemy import text\ns.execute(text('select 1'))",
        "connection.exec_driver_sql('select 1')",
        "engine.raw_connection()",
        "uow.session.get(Household, 3)",
        "session.connection().connection.driver_connection",
        "connection.cursor()",
        "select(Household.__table__)",
    ],
)
def test_planted_sql_is_found(offender: str) -> None:
    assert len(sql_faults(Path("x.py"), offender)) == 1


def test_no_chinese_in_code_or_templates() -> None:
    faults = []
    for path in python_files(CORE):
        faults += chinese_faults(relative(path), path.read_text("utf-8"))
    for path in sorted(CORE.rglob("*.html")):
        if "node_modules" not in path.parts:
            faults += template_chinese_faults(relative(path), path.read_text("utf-8"))
    assert faults == []


def icon_faults(path: Path, source: str, sprite: set[str]) -> list[str]:
    """Icons that are named as such and are not among those of the sprite: a blank would stand for them."""
    used = re.findall(r'''\bicon(?:\(|\s*=\s*)"([^"]+)"''', source)
    return [f"{path}: {name}" for name in used if name not in sprite]


def test_every_icon_is_in_the_sprite() -> None:
    lines = (CORE / "web/frontend/icons.txt").read_text("utf-8").splitlines()
    sprite = {line for line in lines if not line.startswith("#")}
    faults, looked = [], 0
    for root in (CORE, CORE.parents[1] / "plugins"):
        for path in [*root.rglob("*.html"), *root.rglob("*.py")]:
            if "node_modules" not in path.parts:
                looked += 1
                faults += icon_faults(path, path.read_text("utf-8"), sprite)
    assert looked > 1000
    assert faults == []
    planted = '{{ ui.icon("plus", 16) }} {{ ui.button(_("Compare"), icon="no-such") }} NavItem(icon = "nor-this")'
    assert icon_faults(Path("x"), planted, sprite) == ["x: no-such", "x: nor-this"]


def test_planted_chinese_is_found() -> None:
    assert chinese_faults(Path("x.py"), '"""户"""\nLABEL = "户"\n') == ["x.py:2: Chinese in code: '户'"]
    assert chinese_faults(Path("x.py"), '# data: zh\nLABEL = "户"\n') == []
    assert template_chinese_faults(Path("x.html"), "{# 户 #}\n<p>户</p>") == [
        "x.html:2: Chinese in a template: <p>户</p>"
    ]


def all_messages() -> dict[str | tuple[str, ...], str]:
    found: dict[str | tuple[str, ...], str] = {}
    for path in [*python_files(CORE), *sorted(CORE.rglob("*.html"))]:
        if "node_modules" in path.parts:
            continue
        for line, message in messages(path):
            found.setdefault(message, f"{relative(path)}:{line}")
    return found


def test_every_message_is_translated(runtime: Runtime, app: object) -> None:
    untranslated = []
    with i18n.in_locale("zh"):
        for message, place in all_messages().items():
            first = message if isinstance(message, str) else message[0]
            shown = (
                i18n.gettext(first)
                if isinstance(message, str)
                else i18n.ngettext(message[0], message[1], 1, **_any(message))
            )
            same = shown == first
            if same and any(c.isalpha() for c in first):
                untranslated.append(f"{place}: {first!r}")
    assert [u for u in untranslated if not _international(u)] == []


def _any(message: tuple[str, ...]) -> dict[str, object]:

    names = set(re.findall(r"%\((\w+)\)", message[0] + message[1])) - {"n", "num"}
    return dict.fromkeys(names, 0)


def _international(entry: str) -> bool:
    """Words that are the same in both languages."""
    return entry.rsplit(": ", 1)[-1].strip("'\"") in {"API", "Excel", "English", "xlsx", "csv", "UUID", "ID"}


def test_a_planted_untranslated_message_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "x.py"
    planted.write_text('LABEL = _("Nobody translated this")\n')
    assert messages(planted) == [(1, "Nobody translated this")]
    template = tmp_path / "x.html"
    template.write_text('<p>{{ _("Nor this") }}</p>')
    assert messages(template) == [(1, "Nor this")]
    with i18n.in_locale("zh"):
        assert i18n.gettext("Nobody translated this") == "Nobody translated this"


def test_chinese_on_an_english_page_is_found() -> None:
    assert english_page_faults('<html lang="en"><p>Save</p><span lang="zh-CN">王<b>德</b></span></html>') == []
    assert english_page_faults('<html lang="en"><p>保存</p><input placeholder="姓名"></html>') == [
        "保存",
        "input[placeholder]: 姓名",
    ]


def width_faults(catalogues: dict[str, Path]) -> list[str]:
    """Translations with half-width punctuation between Chinese characters."""
    from babel.messages.pofile import read_po

    faults = []
    for name, path in sorted(catalogues.items()):
        with path.open("rb") as stream:
            for message in read_po(stream, locale="zh"):
                texts = [message.string] if isinstance(message.string, str) else list(message.string)
                faults += [f"{name}: {text}" for text in texts if message.id and half_width(text)]
    return faults


def test_chinese_has_its_own_punctuation(tmp_path: Path) -> None:
    catalogues = {path.relative_to(CORE).as_posix(): path for path in CORE.rglob("translations/zh.po")}
    assert width_faults(catalogues) == []
    planted = tmp_path / "zh.po"
    texts = ("不能空,请补填。", "%(row)s 行:不符", "“%(name)s”?", "收入(元)", "10:30 起，共 1,000 户（%(n)d 人）")
    entries = "".join(f'\nmsgid "{n}"\nmsgstr "{text}"\n' for n, text in enumerate(texts))
    planted.write_text(f'msgid ""\nmsgstr ""\n{entries}', "utf-8")
    assert width_faults({"x": planted}) == [f"x: {text}" for text in texts[:4]]


def test_english_on_a_chinese_page_is_found() -> None:
    fine = '<html lang="zh-CN"><p>导出 CSV，UTF-8</p><span lang="en">Save</span><code>select</code>a.example</html>'
    assert chinese_page_faults(fine, [r"[a-z]+\.example"]) == []
    wrong = '<p>谁: command line</p><input placeholder="Find">'
    assert chinese_page_faults(wrong) == ["谁: command line", "input[placeholder]: Find"]


def differing_words(catalogues: dict[str, Path]) -> list[str]:
    """Messages that two catalogues translate differently: the same thing has the same word everywhere."""
    from babel.messages.pofile import read_po

    seen: dict[str, tuple[str, str]] = {}
    faults = []
    for name, path in sorted(catalogues.items()):
        with path.open("rb") as stream:
            for message in read_po(stream, locale="zh"):
                key, text = str(message.id), str(message.string)
                if key and key in seen and seen[key][1] != text:
                    faults.append(f"{key!r}: {seen[key][1]} ({seen[key][0]}), {text} ({name})")
                seen.setdefault(key, (name, text))
    return faults


def test_the_same_message_has_the_same_words_everywhere() -> None:
    catalogues = {path.relative_to(CORE).as_posix(): path for path in CORE.rglob("translations/zh.po")}
    assert differing_words(catalogues) == []


def test_planted_differing_words_are_found(tmp_path: Path) -> None:
    for name, word in (("a", "户"), ("b", "户数")):
        (tmp_path / f"{name}.po").write_text(f'msgid ""\nmsgstr ""\n\nmsgid "Households"\nmsgstr "{word}"\n', "utf-8")
    found = differing_words({"a": tmp_path / "a.po", "b": tmp_path / "b.po"})
    assert found == ["'Households': 户 (a), 户数 (b)"]


def test_things_are_listed_as_the_language_does(app: object) -> None:
    with i18n.in_locale("zh"):
        assert i18n.join_words(["姓名", 2]) == "姓名、2"
        assert i18n.join_words(iter(["甲: 1、2", "乙: 3"]), i18n.SEMICOLON) == "甲: 1、2；乙: 3"
    with i18n.in_locale("en"):
        assert i18n.join_words(["name", 2]) == "name, 2"
        assert i18n.join_words([]) == ""
