"""Renders the chart by Helm's own engine and takes the result apart, for the tests of the chart."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "xiangyue"
RELEASE, NAMESPACE = "demo", "governance"
#: Sets of values under ci/: what has no default, and everything changed.
SETS = ("minimal", "full")

Manifest = dict[str, Any]


def value_set(name: str, **changes: Any) -> dict[str, Any]:
    """Values of ci/<name>-values.yaml with ``changes`` laid over them; ``ingress__enabled=False`` reaches inside."""
    values: dict[str, Any] = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text("utf-8"))
    for key, value in changes.items():
        *path, last = key.split("__")
        inner = values
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return values


def render(name: str = "minimal", **changes: Any) -> dict[str, str]:
    """Template -> text, as an installation would send it. Raises helm_python.HelmError."""
    return dict(_rendered(json.dumps(value_set(name, **changes))))


@cache
def _rendered(values: str) -> dict[str, str]:
    with helm_python.Chart.load(CHART) as chart:
        found = chart.render(json.loads(values), name=RELEASE, namespace=NAMESPACE)
    return {path.removeprefix("xiangyue/templates/"): text for path, text in found.items()}


def manifests(name: str = "minimal", **changes: Any) -> list[Manifest]:
    """Every object of a release."""
    found = []
    for path, text in render(name, **changes).items():
        if path.endswith(".yaml"):
            found += [document for document in yaml.safe_load_all(text) if document]
    return copy.deepcopy(found)


def one(kind: str, ending: str, objects: list[Manifest]) -> Manifest:
    """The object of this kind whose name ends so."""
    (found,) = (o for o in objects if o["kind"] == kind and o["metadata"]["name"].endswith(ending))
    return found


def pods(objects: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """(component, pod template) of everything that runs."""
    for found in objects:
        template = found if found["kind"] == "Pod" else found.get("spec", {}).get("template")
        if template:
            yield template["metadata"]["labels"]["app.kubernetes.io/component"], template


def containers(objects: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """(component, container) of everything that runs."""
    for component, pod in pods(objects):
        spec = pod["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            yield component, container


def environment(objects: list[Manifest], component: str) -> dict[str, Any]:
    """Variables of a component: text, or the reference to a secret as ``(name, key)``."""
    maps = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
    (container,) = (c for name, c in containers(objects) if name == component)
    found: dict[str, Any] = {}
    for source in container.get("envFrom", []):
        found |= maps[source["configMapRef"]["name"]]
    for entry in container.get("env", []):
        if "valueFrom" in entry:
            reference = entry["valueFrom"]["secretKeyRef"]
            found[entry["name"]] = (reference["name"], reference["key"])
        else:
            found[entry["name"]] = entry["value"]
    return found


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, default) of every value; resources count as one."""
    for key, value in values.items():
        if isinstance(value, dict) and value and key != "resources":
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
