"""Addresses of the built front end: stable names in templates, content-hashed files on disk.

``make frontend`` writes ``static/dist/`` and its ``manifest.json``; a page asks ``asset("app.js")``.
"""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from flask import Response, current_app, g, has_app_context, request, send_from_directory
from werkzeug.security import safe_join

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


def _of_this_page() -> dict[str, str]:
    """The manifest, looked at once for a page: every icon asks for it."""
    if not has_app_context():
        return manifest()
    if "manifest" not in g:
        g.manifest = manifest()
    found: dict[str, str] = g.manifest
    return found


def asset(name: str) -> str:
    """``asset("app.js")`` -> ``/static/dist/app-3f2a….js``. Raises AssetsNotBuilt for an unknown name."""
    try:
        return URL_PREFIX + _of_this_page()[name]
    except KeyError:
        raise AssetsNotBuilt(f"The front end has no {name!r}. Run `make frontend`.") from None


def serve_static(filename: str) -> Response:
    """The static route: the compressed twin of a built file where the browser takes it, else the file itself."""
    folder = current_app.static_folder
    assert folder is not None
    twin = safe_join(folder, f"{filename}.gz")
    if twin is None or not request.accept_encodings.quality("gzip") or not Path(twin).is_file():
        return current_app.send_static_file(filename)
    kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    response = send_from_directory(
        folder, f"{filename}.gz", mimetype=kind, max_age=current_app.get_send_file_max_age(filename)
    )
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
