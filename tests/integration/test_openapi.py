"""The OpenAPI document: valid 3.1, and true of what the views ask for and answer."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Resource

from xiangyue.api.document import versioned_operations
from xiangyue.testing.fixtures import County

CORE = Path(__file__).resolve().parents[2] / "core" / "xiangyue"
ASKS = {"required_version": "takes_version", "record_version": "may_take_version"}


@pytest.fixture
def document(hanyin: County) -> dict[str, Any]:
    found: dict[str, Any] = hanyin.client().get("/api/v1/openapi.json").get_json()
    return found


#: The OpenAPI Initiative's own schema of 3.1 documents, https://spec.openapis.org/oas/3.1/schema/2022-10-07
SCHEMA = json.loads(Path(__file__).with_name("openapi31.schema.json").read_text("utf-8"))
#: With what it refers to found beforehand: else it is looked through again at each of some ten thousand references.
SHAPE = Draft202012Validator(
    SCHEMA, registry=REGISTRY.with_resource(SCHEMA["$id"], Resource.from_contents(SCHEMA)).crawl()
)


class Whole(OpenAPIV31SpecValidator):
    """What plugins' parts of the document are held against, for the core's."""

    schema_validator = SHAPE


def faults(document: dict[str, Any]) -> list[str]:
    """What is wrong with a document: its shape, schemas that are none, references to nothing, parameters of the path
    that are not described, names used twice."""
    found = [f"{e.json_path}: {e.message[:200]}" for e in SHAPE.iter_errors(document)]
    for name, schema in document["components"]["schemas"].items():
        errors = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)
        found += [f"schema {name}: {error.message[:200]}" for error in errors]
    found += [f"nothing at {ref}" for ref in references(document) if not _there(document, ref)]
    names: list[str] = []
    for path, item in document["paths"].items():
        wanted = set(re.findall(r"{([^}]+)}", path))
        for method, operation in item.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            given = [*item.get("parameters", ()), *operation.get("parameters", ())]
            described = {p["name"] for p in given if p.get("in") == "path"}
            if described != wanted:
                found.append(f"{method} {path}: parameters {described}, not {wanted}")
            names.append(operation.get("operationId", f"{method} {path}"))
    return found + [f"twice: {name}" for name in set(names) if names.count(name) > 1]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = node.values()
    elif not isinstance(node, list):
        return
    for value in node:
        yield from references(value)


def _there(document: Any, ref: str) -> bool:
    for part in ref.removeprefix("#/").split("/"):
        if part not in document:
            return False
        document = document[part]
    return True


def test_the_document_is_valid(document: dict[str, Any], operator: County) -> None:
    assert document["openapi"] == "3.1.0"
    assert faults(document) == []
    assert [error.message for error in Whole(document).iter_errors()] == []
    assert faults(operator.client().get("/api/v1/openapi.json").get_json()) == []


def test_planted_faults_are_found(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/households/{household_id}"]["get"]
    operation["parameters"].append({"in": "formData", "name": "file", "schema": {"$ref": "#/components/schemas/No"}})
    document["paths"]["/api/v1/households/{household_id}"].pop("parameters", None)
    assert len(faults(document)) >= 3


def test_a_file_is_sent_as_multipart(document: dict[str, Any]) -> None:
    upload = document["paths"]["/api/v1/imports"]["post"]
    assert "parameters" not in upload
    ((kind, body),) = upload["requestBody"]["content"].items()
    assert kind == "multipart/form-data"
    fields = document["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]["properties"]
    assert fields["file"]["format"] == "binary"
    assert set(fields) == {
        "file",
        "source",
        "purpose",
        "lawful_basis",
        "department",
        "notice_version_id",
        "columns",
        "kind",
    }


def headers(operation: dict[str, Any]) -> dict[str, bool]:
    return {p["name"]: p["required"] for p in operation.get("parameters", ()) if p["in"] == "header"}


def test_conditional_requests_are_documented(document: dict[str, Any]) -> None:
    household = document["paths"]["/api/v1/households/{household_id}"]
    assert "ETag" in household["get"]["responses"]["200"]["headers"]
    assert "304" in household["get"]["responses"]
    assert headers(household["get"]) == {"If-None-Match": False}
    assert headers(household["patch"]) == {"If-Match": True}
    assert {"412", "428"} <= set(household["patch"]["responses"])
    income = document["paths"]["/api/v1/households/{household_id}/incomes/{year}"]["put"]
    assert headers(income) == {"If-Match": False}


def unmarked(source: str) -> list[str]:
    """Views that ask for a version and do not say so in the document. A helper's caller counts as asking."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    names = {node.name: _names(node) for node in functions}
    views = {node.name: {d.id for d in node.decorator_list if isinstance(d, ast.Name)} for node in functions}
    helpers = {node.name for node in functions if not node.decorator_list}

    def asks(name: str, seen: frozenset[str] = frozenset()) -> bool:
        called = names[name]
        inner = called & helpers - seen - {"record_version"}
        return bool(called & set(ASKS)) or any(asks(helper, seen | {name}) for helper in inner)

    return [name for name in views if name not in helpers and asks(name) and not views[name] & set(ASKS.values())]


def _names(function: ast.FunctionDef) -> set[str]:
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}


def test_every_view_that_asks_for_a_version_says_so(hanyin: County) -> None:
    found = {str(path.relative_to(CORE)): unmarked(path.read_text("utf-8")) for path in CORE.rglob("*.py")}
    assert {path: views for path, views in found.items() if views} == {}
    assert len(versioned_operations(hanyin.app)) > 15


def test_a_planted_view_is_found() -> None:
    planted = (
        "@bp.patch('/x')\n@requires(P)\ndef edit():\n    return helper()\ndef helper():\n    return required_version()"
    )
    assert unmarked(planted) == ["edit"]
    assert unmarked(planted.replace("@requires(P)", "@requires(P)\n@takes_version")) == []


@pytest.mark.parametrize("method", ["get"])
def test_documented_etags_are_sent(hanyin: County, document: dict[str, Any], method: str) -> None:
    """Every answer with a version has its ETag, read from the address of something that is there."""
    tagged = [
        path
        for path, item in document["paths"].items()
        if "ETag" in item.get(method, {}).get("responses", {}).get("200", {}).get("headers", {})
    ]
    client = hanyin.client("county_admin")
    account = client.get("/api/v1/me").get_json()["id"]
    known = {"/api/v1/me": "/api/v1/me", "/api/v1/accounts/{account_id}": f"/api/v1/accounts/{account}"}
    assert set(known) <= set(tagged)
    for address in known.values():
        answer = client.get(address)
        assert (answer.status_code, "ETag" in answer.headers) == (200, True), address


def test_the_document_is_the_same_however_often_it_is_asked_for(hanyin: County) -> None:
    first, second = (hanyin.client().get("/api/v1/openapi.json").data for _ in range(2))
    assert first == second
