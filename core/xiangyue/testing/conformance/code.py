"""How a plugin is written: what it imports, its SQL, its services, and that every word is there in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xiangyue import i18n
from xiangyue.testing.conformance.kit import Kit, none_of
from xiangyue.testing.source import (
    chinese_faults,
    messages,
    python_files,
    sql_faults,
    template_chinese_faults,
)

SDK = "xiangyue.sdk"
TESTING = f"{SDK}.testing"
_IMPORTERS = ("import_module", "__import__")
#: Words that are the same in both languages.
_INTERNATIONAL = frozenset({"API", "Excel", "English", "xlsx", "csv", "UUID", "ID"})


class CodeTests:
    def test_it_imports_only_the_sdk(self, kit: Kit) -> None:
        faults = []
        for path in python_files(kit.folder):
            faults += import_faults(path, path.read_text("utf-8"), kit.package)
        for path in python_files(kit.tests) if kit.tests is not None else ():
            faults += import_faults(path, path.read_text("utf-8"), kit.package, testing=True)
        none_of(faults)

    def test_no_chinese_in_code(self, kit: Kit) -> None:
        faults = []
        for path in python_files(kit.folder):
            faults += chinese_faults(path.relative_to(kit.folder), path.read_text("utf-8"))
        for path in sorted(kit.folder.rglob("*.html")):
            faults += template_chinese_faults(path.relative_to(kit.folder), path.read_text("utf-8"))
        none_of(faults)

    def test_every_message_is_translated(self, kit: Kit) -> None:
        """Into Chinese, with the same placeholders, and as the core says it where the core says it too."""
        none_of(message_faults(kit))

    def test_no_sql_goes_round_the_scope(self, kit: Kit) -> None:
        faults = []
        for path in python_files(kit.folder):
            if "migrations" in path.relative_to(kit.folder).parts:
                continue
            found = sql_faults(path.relative_to(kit.folder), path.read_text("utf-8"))
            faults += [f for f in found if not (path.name == "models.py" and "text()" in f)]
        none_of(faults)

    def test_every_write_declares_its_right(self, kit: Kit) -> None:
        faults = []
        for path in sorted({*kit.folder.rglob("service*.py"), *kit.folder.rglob("service/*.py")}):
            faults += [f"{path.name}:{fault}" for fault in undeclared(path.read_text("utf-8"))]
        none_of(faults)


def import_faults(path: Path, source: str, package: str, *, testing: bool = False) -> list[str]:
    """Imports of the core's own modules, however they are written. ``testing``: the file is a test."""
    faults = []
    for line, module in imported(source):
        if module.partition(".")[0] != "xiangyue":
            continue
        inside = module == SDK or module.startswith(f"{SDK}.")
        if not inside:
            faults.append(f"{path.name}:{line}: imports {module}, which is not of {SDK}")
        elif not testing and (module == TESTING or module.startswith(f"{TESTING}.")):
            faults.append(f"{path.name}:{line}: imports {module}, which is for tests only")
    return faults


def imported(source: str) -> Iterator[tuple[int, str]]:
    """(line, module) of every import; also of ``importlib.import_module("…")`` and ``__import__("…")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            # "from xiangyue import db" is an import of xiangyue.db.
            parts = [f"{module}.{alias.name}" for alias in node.names] if module in ("xiangyue", SDK) else [module]
            yield from ((node.lineno, part) for part in parts)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func).rpartition(".")[2]
            yield from [(node.lineno, str(node.args[0].value))] if called in _IMPORTERS else []


def undeclared(source: str) -> list[str]:
    """Public functions of a service module that take a unit of work and are not decorated with @acts."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.args.args:
            marks = [ast.unparse(mark).split("(")[0] for mark in node.decorator_list]
            if node.args.args[0].arg == "uow" and "acts" not in marks:
                found.append(f"{node.lineno}: {node.name} declares no right")
    return found


def message_faults(kit: Kit) -> list[str]:
    manifest = kit.plugin.manifest
    assert manifest is not None
    folder = manifest.translations or kit.folder / "translations"
    own = _catalogue(folder / "zh.po")
    core: dict[str, str] = {}
    for directory in i18n.catalogue_directories():
        if directory != folder:
            core |= {key: text for key, text in _catalogue(directory / "zh.po").items() if key not in core}
    faults = []
    for path in [*python_files(kit.folder), *sorted(kit.folder.rglob("*.html"))]:
        for line, message in messages(path):
            first = message if isinstance(message, str) else message[0]
            where = f"{path.relative_to(kit.folder)}:{line}: {first!r}"
            text = own.get(first) or core.get(first)
            if not text and any(c.isalpha() for c in first) and first not in _INTERNATIONAL:
                faults.append(f"{where} has no Chinese in {folder.name}/zh.po")
            elif own.get(first) and core.get(first) not in (None, own[first]):
                faults.append(f"{where} is {core[first]!r} in the core and {own[first]!r} here")
            elif text and not _same_places(message, text):
                faults.append(f"{where} has other placeholders in Chinese: {text!r}")
    return faults


def _same_places(message: str | tuple[str, ...], text: str) -> bool:
    """A translation may leave a number out of the singular, and never asks for what is not there."""
    import re

    def names(one: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)", one))

    if isinstance(message, tuple):
        return names(text) <= names(message[0]) | names(message[1])
    return names(text) == names(message)


def _catalogue(path: Path) -> dict[str, str]:
    from babel.messages.pofile import read_po

    if not path.exists():
        return {}
    found: dict[str, str] = {}
    with path.open("rb") as stream:
        for message in read_po(stream, locale="zh"):
            if message.id and not message.fuzzy:
                key: Any = message.id if isinstance(message.id, str) else message.id[0]
                texts: Any = message.string
                found[key] = texts if isinstance(texts, str) else texts[0]
    return found
