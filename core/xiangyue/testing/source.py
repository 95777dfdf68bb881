"""Reads the source: SQL that goes round the scope, and Chinese or untranslated words where they may not stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

#: Calls that reach the database without the scope; only the db room (and what runs before any tenant) may make them.
_BANNED_CALLS = {
    "text": "text() builds SQL without a scope: use db.scoped_sql()",
    "exec_driver_sql": "exec_driver_sql() goes round the scope: use db.scoped_sql()",
    "cursor": "a raw cursor goes round the scope: use db.scoped_rows()",
    "raw_connection": "a raw connection goes round the scope",
    "driver_connection": "a raw connection goes round the scope",
    "session_get": "session.get() answers from the identity map and skips the scope: use uow.get()",
}
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def python_files(root: Path, *, skip: Iterable[str] = ()) -> Iterator[Path]:
    skipped = tuple(skip)
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        if "node_modules" not in relative and not relative.startswith(skipped):
            yield path


def sql_faults(path: Path, source: str) -> list[str]:
    """Places in a Python file where SQL could go round the scope."""
    tree = ast.parse(source)
    imported_text = any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("sqlalchemy")
        and any(a.name == "text" for a in node.names)
        for node in ast.walk(tree)
    )
    faults = []
    for node in ast.walk(tree):
        kind = None
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id == "text" and imported_text:
                kind = "text"
            elif isinstance(function, ast.Attribute):
                if function.attr in ("exec_driver_sql", "cursor", "raw_connection"):
                    kind = function.attr
                elif function.attr == "get" and _is_session(function.value):
                    kind = "session_get"
        elif isinstance(node, ast.Attribute) and node.attr == "driver_connection":
            kind = node.attr
        elif isinstance(node, ast.Attribute) and node.attr == "__table__":
            faults.append(f"{path}:{node.lineno}: __table__ statements get no scope")
        if kind is not None:
            faults.append(f"{path}:{node.lineno}: {_BANNED_CALLS[kind]}")  # type: ignore[attr-defined]
    return faults


def _is_session(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "session") or (
        isinstance(node, ast.Attribute) and node.attr == "session"
    )


def chinese_faults(path: Path, source: str) -> list[str]:
    """String literals with Chinese in a Python file that is not marked as data; docstrings are free."""
    if source.startswith("# data: zh"):
        return []
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        f"{path}:{node.lineno}: Chinese in code: {node.value[:40]!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and _CJK.search(node.value)
        and not _is_bare_string(tree, node)
    ]


def _is_bare_string(tree: ast.Module, wanted: ast.Constant) -> bool:
    """A string that stands alone is documentation (of an attribute)."""
    return any(isinstance(n, ast.Expr) and n.value is wanted for n in ast.walk(tree))


def template_chinese_faults(path: Path, source: str) -> list[str]:
    """Chinese outside comments in a template."""
    code = re.sub(r"\{#.*?#\}", lambda m: "\n" * m.group().count("\n"), source, flags=re.S)
    return [
        f"{path}:{number}: Chinese in a template: {line.strip()[:60]}"
        for number, line in enumerate(code.splitlines(), 1)
        if _CJK.search(line)
    ]


def messages(path: Path) -> list[tuple[int, str | tuple[str, ...]]]:
    """Messages of a Python file or template: (line, msgid or (singular, plural))."""
    from babel.messages.extract import extract

    keywords = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "N_": None}
    method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
    options = {"trimmed": "true", "encoding": "utf-8"}
    with path.open("rb") as stream:
        return [(line, message) for line, message, *_ in extract(method, stream, keywords, (), options) if message]


def english_page_faults(html: str) -> list[str]:
    """Chinese on an English page outside elements marked ``lang="zh-CN"``: whole words are listed."""
    return _page_faults(html, "zh", lambda text: _CJK.search(text) is not None, frozenset({"script", "style"}))


_HALF_WIDTH = (
    re.compile(r"[\u4e00-\u9fff”’）》」]\s*[,:;?!]"),
    re.compile(r"[,;:?!]\s*[\u4e00-\u9fff“]"),
    re.compile(r"[\u4e00-\u9fff”’]\((?:%\(\w+\)[sd]|[^()])*\)"),
)


def half_width(text: str) -> bool:
    """Whether a Chinese text has punctuation of Latin width beside a Chinese character."""
    return any(pattern.search(text) for pattern in _HALF_WIDTH)


#: English words that Chinese pages have: names of formats, programs, keys and languages, and the other language's sign.
_SAME = (
    "API BD CSV Ctrl EN English Excel GB GCJ GIS GPS GeoJSON HTTP ID IP JPEG JSON KB MB PDF PNG QR TB TOTP URL UTF UUID"
    " WGS WPS XLSX"
    " csv kB ods txt xls xlsx code name level parent Bearer"
)
SAME_IN_CHINESE = frozenset(_SAME.split())


def chinese_page_faults(html: str, allowed: Iterable[str] = ()) -> list[str]:
    """English on a Chinese page outside code and elements marked ``lang="en"``: texts with words that are not in
    SAME_IN_CHINESE or ``allowed`` (regular expressions for names, addresses and the like)."""
    known = [re.compile(pattern) for pattern in allowed]

    def english(text: str) -> bool:
        for pattern in known:
            text = pattern.sub(" ", text)
        return any(word not in SAME_IN_CHINESE for word in _WORD.findall(text))

    return _page_faults(html, "en", english, frozenset({"script", "style", "code", "kbd", "pre", "textarea", "time"}))


_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2,}(?![A-Za-z0-9])")


def _page_faults(html: str, other: str, wrong: Callable[[str], bool], skipped: frozenset[str]) -> list[str]:
    """Texts and attributes of a page that are ``wrong``, outside the ``skipped`` elements and those marked as being in
    the ``other`` language."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        VOID = frozenset(
            ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
        )

        def __init__(self) -> None:
            super().__init__()
            self.marked: list[bool] = []
            self.found: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            inherited = self.marked[-1] if self.marked else False
            marked = (values.get("lang") or "").startswith(other) or (inherited and "lang" not in values)
            raw = tag in skipped
            if not marked and not raw:
                for name in ("title", "placeholder", "aria-label", "alt", "data-label"):
                    if wrong(values.get(name) or ""):
                        self.found.append(f"{tag}[{name}]: {values[name]}")
            if tag not in self.VOID:
                self.marked.append(marked or raw)

        def handle_endtag(self, tag: str) -> None:
            if tag not in self.VOID and self.marked:
                self.marked.pop()

        def handle_data(self, data: str) -> None:
            if not (self.marked and self.marked[-1]) and wrong(data):
                self.found.append(" ".join(data.split())[:80])

    reader = Reader()
    reader.feed(html)
    return reader.found
