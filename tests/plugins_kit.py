"""Plugins for tests: planted as a module of the test, or written to disk as a distribution that is found."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from xiangyue.plugin.hookspecs import REGISTRATIONS, hookimpl
from xiangyue.plugin.load import Candidate, Installed, install, uninstall
from xiangyue.plugin.manifest import Manifest
from xiangyue.runtime import Runtime


def manifest(name: str, **changes: Any) -> Manifest:
    """A manifest that fits, with some of its values changed."""
    values: dict[str, Any] = {
        "name": name,
        "label": f"Plugin {name}",
        "summary": "Planted by a test.",
        "core": ">=1.0,<2",
        "version": "1.0",
    }
    return Manifest(**{**values, **changes})


@contextmanager
def planted(runtime: Runtime, name: str, **attributes: Any) -> Iterator[Installed]:
    """A plugin of this process until the end of the block.

    ``attributes`` are those of its module: hooks by name as functions, or what a ``register_*`` hook returns;
    ``manifest={…}`` changes values of its manifest, ``MANIFEST=…`` replaces it. It goes the way of an entry point, so
    look at ``.state`` and ``.reason``. An application that shall have its pages is made within the block:
    ``create_app(runtime=runtime)``. To switch it on in a county: ``switched_on(county, name)``.
    """
    module = ModuleType(f"planted_{name}")
    attributes.setdefault("MANIFEST", manifest(name, **attributes.pop("manifest", {})))
    for key, value in attributes.items():
        setattr(module, key, _hook(key, value) if _is_hook(key) else value)
    try:
        yield install(runtime.registry, Candidate(name, f"test-{name}", "1.0", lambda: module))
    finally:
        uninstall(runtime.registry, name)


def _is_hook(key: str) -> bool:
    return key in REGISTRATIONS or key.endswith(("_requested", "_happened"))


def _hook(key: str, value: Any) -> Any:
    if not callable(value):
        returned = value

        def value() -> Any:
            return returned

    return hookimpl(value)


@contextmanager
def distribution(
    folder: Path,
    name: str,
    source: str,
    *,
    files: Mapping[str, str] | None = None,
    version: str = "1.0",
    distribution_name: str = "",
    package: str = "",
) -> Iterator[Path]:
    """A plugin distribution on ``sys.path``: package ``xiangyue_<name>`` with ``source`` as its ``plugin.py``.

    ``files``: further files of the package, by path. ``{manifest}`` in ``source`` becomes imports and a manifest that
    fits. It is found by a Runtime that is made within the block with ``Settings(plugins=("*",))``.
    """
    package = package or f"xiangyue_{name}"
    distribution_name = distribution_name or f"xiangyue-{name}"
    home = folder / distribution_name
    fitting = textwrap.dedent(
        f"""\
        from xiangyue.plugin.hookspecs import hookimpl
        from xiangyue.plugin.manifest import Manifest
        MANIFEST = Manifest({name!r}, "Plugin {name}", "Written by a test.", ">=1.0,<2", {version!r})
        """
    )
    sources = {"__init__.py": "", **(files or {}), "plugin.py": textwrap.dedent(source).replace("{manifest}", fitting)}
    for path, text in sources.items():
        target = home / package / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    facts = home / f"{distribution_name.replace('-', '_')}-{version}.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution_name}\nVersion: {version}\n")
    (facts / "entry_points.txt").write_text(f"[xiangyue.plugins]\n{name} = {package}.plugin\n")
    sys.path.insert(0, str(home))
    try:
        yield home
    finally:
        sys.path.remove(str(home))
        for module in [m for m in sys.modules if m == package or m.startswith(f"{package}.")]:
            del sys.modules[module]
