"""What plugins may import is written down and described: a name or a parameter that goes away is seen here."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import xiangyue.sdk

ROOT = Path(__file__).resolve().parents[2]
SURFACE = Path(__file__).with_name("sdk_surface.txt")


def modules() -> list[str]:
    return [f"xiangyue.sdk.{module.name}" for module in pkgutil.iter_modules(xiangyue.sdk.__path__)]


def surface() -> list[str]:
    """One line a name, with the parameters of functions and the fields of dataclasses."""
    lines = []
    for module in ["xiangyue.sdk", *modules()]:
        loaded = importlib.import_module(module)
        lines += [f"{module}.{name}{shape(getattr(loaded, name))}" for name in loaded.__all__]
    return sorted(lines)


def shape(value: Any) -> str:
    if is_dataclass(value) and isinstance(value, type):
        return "(" + ", ".join(field.name for field in fields(value)) + ")"
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
        return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return ""


def test_what_plugins_may_import_is_what_it_was() -> None:
    known, now = SURFACE.read_text("utf-8").splitlines(), surface()
    gone, new = sorted(set(known) - set(now)), sorted(set(now) - set(known))
    assert not gone, f"taken away from plugins (a new major API_VERSION, after a release that warns of it): {gone}"
    assert not new, f"new for plugins (a minor API_VERSION; add the lines to {SURFACE.name}): {new}"


def test_every_name_is_described() -> None:
    described = set(
        re.findall(r"^\| `([A-Za-z_]+)` \| .{10,} \|$", (ROOT / "docs/plugins/sdk.md").read_text("utf-8"), re.M)
    )
    offered = {name for module in modules() for name in importlib.import_module(module).__all__}
    assert offered - described == set()
    assert described - offered - {"API_VERSION"} == set()


def foreign_statements(source: str) -> Iterator[str]:
    """What is no re-export in a module of the interface."""
    for node in ast.parse(source).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        listed = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "pytest_plugins")
        if not (docstring or listed or isinstance(node, ast.ImportFrom)):
            yield ast.unparse(node)


def test_the_interface_only_passes_on() -> None:
    for path in sorted((ROOT / "core/xiangyue/sdk").glob("*.py")):
        assert list(foreign_statements(path.read_text("utf-8"))) == [], path.name


def test_a_planted_function_in_the_interface_is_found() -> None:
    assert list(foreign_statements('"""x"""\nfrom a import b\n__all__ = ["b"]\ndef c(): pass\n')) == [
        "def c():\n    pass"
    ]
