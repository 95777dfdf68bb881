"""Addresses of the built front end: stable names in templates, content-hashed files on disk.

``make frontend`` writes ``static/dist/`` and its ``manifest.json``; a page asks ``asset("app.js")``.
"""

from __future__ import annotations

import json
from pathlib import Path

DIST = Path(__file__).parent / "static" / "dist"
URL_PREFIX = "/static/dist/"

_manifests: dict[Path, tuple[int, dict[str, str]]] = {}


class AssetsNotBuilt(RuntimeError):
    """The bundle, or one file of it, is missing on this installation."""


def manifest(dist: Path = DIST) -> dict[str, str]:
    """Stable name -> file name, read when first needed and again after a rebuild.

    Raises AssetsNotBuilt where the front end was never built.
    """
    path = dist / "manifest.json"
    try:
        stamp = path.stat().st_mtime_ns
    except FileNotFoundError:
        raise AssetsNotBuilt(f"{path} is missing: the front end is not built. Run `make frontend`.") from None
    known = _manifests.get(dist)
    if known is None or known[0] != stamp:
        known = (stamp, json.loads(path.read_text(encoding="utf-8")))
        _manifests[dist] = known
    return known[1]


def asset(name: str) -> str:
    """``asset("app.js")`` -> ``/static/dist/app-3f2a….js``. Raises AssetsNotBuilt for an unknown name."""
    try:
        return URL_PREFIX + manifest()[name]
    except KeyError:
        raise AssetsNotBuilt(f"The front end has no {name!r}. Run `make frontend`.") from None


def is_hashed(file_name: str) -> bool:
    """Whether a file of the bundle carries its content's hash, so that browsers may keep it for ever."""
    stem = file_name.rsplit(".", 1)[0]
    tail = stem.rsplit("-", 1)[-1]
    return len(tail) == 10 and all(c in "0123456789abcdef" for c in tail)
