"""The chart's values: what is wrong is refused by name, and values.yaml, the schema and the README say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import helm_python
import pytest
import yaml
from chart_kit import CHART, leaves, render, value_set

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))
ROW = re.compile(r"\| `([\w.]+)` \| `(.*)` \| (.+) \|")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"replicaCount": 3}, ["replicaCount"]),
        ({"web__replica": 3}, ["/web", "replica"]),
        ({"secrets__database__password": "x"}, ["/secrets/database", "password"]),
        ({"settings__databaseUrl": "postgresql://a/b"}, ["/settings", "databaseUrl"]),
        ({"ingress__extraHosts": [{"name": "a.example"}]}, ["/ingress/extraHosts/0", "name"]),
        ({"web__resources__limit": {"memory": "1Gi"}}, ["/web/resources", "limit"]),
        ({"web__replicas": "three"}, ["/web/replicas", "integer"]),
        ({"web__replicas": 0}, ["/web/replicas", "minimum"]),
        ({"settings__behindPgbouncer": "yes"}, ["/settings/behindPgbouncer", "boolean"]),
        ({"settings__logLevel": "LOUD"}, ["/settings/logLevel"]),
        ({"plugins": "contact321"}, ["/plugins", "array"]),
        ({"plugins": ["Contact 321"]}, ["/plugins/0"]),
        ({"baseDomain": ""}, ["/baseDomain"]),
        ({"baseDomain": "https://example.org"}, ["/baseDomain"]),
        ({"ingress__extraHosts": [{"host": "*.hanyin.example"}]}, ["/ingress/extraHosts/0/host"]),
        ({"image__repository": ""}, ["/image/repository"]),
        ({"image__tag": "latest"}, ["/image/tag"]),
        ({"image__digest": "sha256:abc"}, ["/image/digest"]),
        ({"user__uid": 0}, ["/user/uid", "minimum"]),
        ({"secrets__database__name": ""}, ["/secrets/database/name"]),
        ({"scheme": "ftp"}, ["/scheme"]),
        ({"service__port": 70000}, ["/service/port", "maximum"]),
        ({"persistence__size": "big"}, ["/persistence/size"]),
        ({"persistence__accessModes": []}, ["/persistence/accessModes"]),
        ({"podDisruptionBudget__maxUnavailable": "some"}, ["/podDisruptionBudget/maxUnavailable"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_wrong_value_is_refused_and_named(change: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(helm_python.HelmError) as refused:
        render(**change)

    assert [word for word in named if word not in str(refused.value)] == []


def test_what_has_no_default_is_asked_for() -> None:
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmError) as refused:
        chart.render({}, name="demo")

    assert "/image/repository" in str(refused.value)
    assert "/baseDomain" in str(refused.value)


def test_values_of_a_chart_round_this_one_are_let_in() -> None:
    assert render(**{"global": {"region": "north"}})["web.yaml"] == render()["web.yaml"]


def test_defaults_schema_and_the_full_set_have_the_same_names() -> None:
    free = {"global"}
    declared = set(_names_of(SCHEMA)) - free
    defaults = {name for name, _ in leaves(VALUES)}

    assert declared == defaults
    # The full set changes each of them, so that none is there for nothing.
    full = value_set("full")
    same = {name for name, value in leaves(VALUES) if _at(full, name) in (None, value)}
    assert same == {
        "scheme",  # http is the trial's
        "persistence.existingClaim",  # instead of a claim
        "persistence.accessModes",
        "persistence.keep",
        "ingress.enabled",
        "serviceAccount.create",
        "podDisruptionBudget.enabled",
    }


def test_no_object_of_the_schema_takes_unknown_keys() -> None:
    open_ones = {path for path, node in _objects(SCHEMA, "") if node.get("additionalProperties", True) is True}

    # What Kubernetes itself defines, and what another chart hands down.
    assert {path.rpartition("/")[2] for path in open_ones} == {"global", "affinity", "items"}
    assert {path for path in open_ones if path.endswith("items")} == {
        "/networkPolicy/ingressFrom/items",
        "/networkPolicy/egressTo/items",
    }


def test_the_table_of_the_readme_is_the_values() -> None:
    rows = [found.groups() for found in ROW.finditer((CHART / "README.md").read_text("utf-8"))]

    assert [(name, json.loads(default)) for name, default, _ in rows] == list(leaves(VALUES))


def test_every_value_is_used_by_a_template() -> None:
    text = "".join(path.read_text("utf-8") for path in (CHART / "templates").rglob("*.*"))
    last_words = {name.rpartition(".")[2] for name, _ in leaves(VALUES)}

    assert {word for word in last_words if not re.search(rf"\.{word}\b", text)} == set()


def _at(values: Any, name: str) -> Any:
    for key in name.split("."):
        values = (values or {}).get(key)
    return values


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        found: dict[str, Any] = SCHEMA["definitions"][node["$ref"].rpartition("/")[2]]
        return found
    return node


def _names_of(node: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, raw in node["properties"].items():
        child = _resolved(raw)
        if "properties" in child and key != "resources":
            yield from _names_of(child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _objects(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    node = _resolved(node)
    if node.get("type") == "object":
        yield path, node
    for key, child in node.get("properties", {}).items():
        yield from _objects(child, f"{path}/{key}")
    if "items" in node:
        yield from _objects(node["items"], f"{path}/items")
