"""A route or a service without a declared, registered permission stops start-up."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint

from xiangyue.access.acts import DECLARED
from xiangyue.access.permissions import Permission, UnknownPermission
from xiangyue.app import create_app
from xiangyue.plugin.offer import Contributor
from xiangyue.runtime import Runtime
from xiangyue.web.access import mark_of, requires

FEATURES = Path(__file__).resolve().parents[2] / "core" / "xiangyue" / "features"


def test_every_route_declares_access(app: Any) -> None:
    assert [name for name, view in app.view_functions.items() if mark_of(view) is None] == []


def build_with(runtime: Runtime, view: Any) -> None:
    blueprint = Blueprint("planted", __name__)
    blueprint.add_url_rule("/planted", view_func=view)
    other = Runtime(runtime.settings)
    other.registry.add(Contributor("planted", sys.modules[__name__], offered={"pages": (blueprint,)}))
    create_app(runtime=other)


def test_a_planted_route_without_access_stops_start_up(runtime: Runtime) -> None:
    def planted() -> str:
        return ""

    with pytest.raises(RuntimeError, match=r"without an access mark: planted\.planted"):
        build_with(runtime, planted)


def test_a_planted_route_with_an_unknown_permission_stops_start_up(runtime: Runtime) -> None:
    @requires(Permission("planted.view", "planted"))
    def planted() -> str:
        return ""

    with pytest.raises(UnknownPermission, match=r"planted\.view"):
        build_with(runtime, planted)


def undeclared_services(root: Path) -> list[str]:
    """Public functions of service modules that take a unit of work and are not decorated with @acts."""
    found = []
    for path in sorted({*root.rglob("service*.py"), *root.rglob("service/*.py")}):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if not node.args.args or node.args.args[0].arg != "uow":
                continue
            decorators = [ast.unparse(d).split("(")[0] for d in node.decorator_list]
            if "acts" not in decorators:
                found.append(f"{path.relative_to(root)}:{node.lineno} {node.name}")
    return found


def test_every_service_function_declares_its_permission() -> None:
    assert undeclared_services(FEATURES) == []


def test_a_planted_service_without_permission_is_found(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text("def delete_everything(uow, *, why):\n    pass\n")
    assert undeclared_services(tmp_path) == ["service.py:1 delete_everything"]


def test_declared_permissions_are_registered(runtime: Runtime, app: Any) -> None:
    names = runtime.registry.permissions.names()
    assert {p.name for p in DECLARED.values() if p is not None} <= names
