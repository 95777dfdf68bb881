"""The OpenAPI document of one county: the core's part and that of the plugins it has on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

from xiangyue.plugin.addresses import plugin_of
from xiangyue.plugin.offer import Offer

_SCHEMAS = "#/components/schemas/"
HOUSEHOLDS = "/api/v1/households"


def schema_name(schema: Any) -> str:
    """Name of a schema in the document: feature and class, so that two features may each have a ``MarkList``."""
    cls = schema if isinstance(schema, type) else type(schema)
    name = cls.__name__.removesuffix("Schema") or cls.__name__
    parts = cls.__module__.split(".")
    if parts[0] == "xiangyue":
        feature = parts[parts.index("features") + 1] if "features" in parts else ""
    else:
        feature = parts[0].removeprefix("xiangyue_")
    prefix = feature.capitalize().rstrip("s")
    partial = "Changes" if not isinstance(schema, type) and schema.partial else ""
    return f"{'' if name.startswith(prefix) else prefix}{name}{partial}"


def county_document(whole: dict[str, Any], offer: Offer) -> dict[str, Any]:
    """``whole`` without the paths, tags and schemas of plugins that are off: the document tells nothing of them."""
    paths = whole.get("paths", {})
    off = {path for path in paths if not _open(path, offer)}
    if not off:
        return {**whole, "paths": _with_offered(paths, offer)}
    kept = {path: item for path, item in paths.items() if path not in off}
    schemas = whole.get("components", {}).get("schemas", {})
    needed = _reached(kept, schemas)
    # A schema that no path asks for was put there on purpose; one that only they ask for goes with them.
    gone = _reached({path: paths[path] for path in off}, schemas) - needed
    used = {tag for item in kept.values() for tag in _tags(item)}
    theirs = {tag for path in off for tag in _tags(paths[path])} - used
    document = {
        **whole,
        "paths": _with_offered(kept, offer),
        "tags": [t for t in whole.get("tags", []) if t["name"] not in theirs],
    }
    document["components"] = {
        **whole.get("components", {}),
        "schemas": {name: schema for name, schema in schemas.items() if name not in gone},
    }
    return document


def _with_offered(paths: dict[str, Any], offer: Offer) -> dict[str, Any]:
    """The list of households takes the conditions, and gives the columns, that plugins add to it."""
    operation = paths.get(HOUSEHOLDS, {}).get("get")
    filters, columns = list(offer.each("household_filters")), [item for _c, item in offer.each("household_columns")]
    if operation is None or not (filters or columns):
        return paths
    parameters = []
    for parameter in operation.get("parameters", ()):
        if parameter.get("name") == "fields" and columns:
            more = ", ".join(f"{item.key} ({item.label})" for item in columns)
            parameter = {**parameter, "description": f"{parameter.get('description', '')}; of plugins: {more}"}
        parameters.append(parameter)
    for _contributor, item in filters:
        parameters.append(
            {"in": "query", "name": item.key, "description": str(item.label), "schema": {"type": "string"}}
        )
    return {**paths, HOUSEHOLDS: {**paths[HOUSEHOLDS], "get": {**operation, "parameters": parameters}}}


def _open(path: str, offer: Offer) -> bool:
    plugin = plugin_of(path)
    return plugin is None or offer.has(plugin)


def _tags(item: dict[str, Any]) -> Iterator[str]:
    for operation in item.values():
        if isinstance(operation, dict):
            yield from operation.get("tags", ())


def _reached(root: Any, schemas: dict[str, Any]) -> set[str]:
    """Names of the schemas that something refers to, directly or through others."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(schemas.get(name, {}))
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str) and value.startswith(_SCHEMAS):
                yield value.removeprefix(_SCHEMAS)
            else:
                yield from _references(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _references(value)


def versioned_operations(app: Flask) -> dict[tuple[str, str], str]:
    """(path, method) -> "required" or "optional" of the views marked by ``takes_version`` and ``may_take_version``."""
    found: dict[tuple[str, str], str] = {}
    for rule in app.url_map.iter_rules():
        kind = getattr(app.view_functions[rule.endpoint], "takes_version", None)
        if kind is not None:
            path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
            found |= {(path, method.lower()): kind for method in rule.methods or ()}
    return found


def conditional(whole: dict[str, Any], versioned: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """``whole`` with what conditional requests need: ETag where an answer is one thing with a version, If-None-Match
    where it is read, If-Match where it is changed, and the answers 304, 412 and 428. Changes ``whole`` in place."""
    schemas = whole.get("components", {}).get("schemas", {})
    for path, item in whole.get("paths", {}).items():
        for method, operation in item.items():
            if not isinstance(operation, dict):
                continue
            tagged = [
                answer
                for status, answer in operation.get("responses", {}).items()
                if str(status).startswith("2") and isinstance(answer, dict) and _is_versioned(answer, schemas)
            ]
            for answer in tagged:
                answer.setdefault("headers", {})["ETag"] = {
                    "description": "Version of the thing and a hash of the answer",
                    "schema": {"type": "string"},
                }
            if tagged and method == "get":
                _add_header(operation, "If-None-Match", "ETag of what you have; 304 when it still stands", False)
                operation["responses"]["304"] = {"description": "What you have still stands"}
            if kind := versioned.get((path, method)):
                text = "ETag of what you read, or `*` for whatever stands"
                _add_header(operation, "If-Match", text, kind == "required")
                _add_problem(operation, "412", "Somebody saved in between; `current` has what stands")
                if kind == "required":
                    _add_problem(operation, "428", "If-Match is missing")
    return whole


def _is_versioned(answer: dict[str, Any], schemas: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").removeprefix(_SCHEMAS)
    return "version" in schemas.get(name, {}).get("properties", {})


def _add_header(operation: dict[str, Any], name: str, text: str, required: bool) -> None:
    parameter = {"in": "header", "name": name, "description": text, "required": required, "schema": {"type": "string"}}
    parameters = operation.setdefault("parameters", [])
    if parameter not in parameters:  # the operation is the application's own, and was asked for before
        parameters.append(parameter)


def _add_problem(operation: dict[str, Any], status: str, text: str) -> None:
    content = {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
    operation["responses"].setdefault(status, {"description": text, "content": content})
