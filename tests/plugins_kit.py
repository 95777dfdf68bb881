"""Plugins for tests: planted as a module of the test, or written to disk as a distribution that is found."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import select

from xiangyue.access.acts import DECLARED
from xiangyue.plugin.hookspecs import NAMESPACE, REGISTRATIONS, hookimpl
from xiangyue.plugin.load import Candidate, Installed, install, uninstall
from xiangyue.plugin.manifest import Manifest
from xiangyue.plugin.models import TenantPlugin
from xiangyue.plugin.tables import Tables
from xiangyue.runtime import Runtime
from xiangyue.tenancy.enablement import plugins_changed
from xiangyue.testing.fixtures import County


def manifest(name: str, /, **changes: Any) -> Manifest:
    """A manifest that fits, with some of its values changed."""
    values: dict[str, Any] = {
        "name": name,
        "label": f"Plugin {name}",
        "summary": "Planted by a test.",
        "core": ">=1.0,<2",
        "version": "1.0",
    }
    return Manifest(**{**values, **changes})


def switch(county: County, name: str, enabled: bool = True, **settings: Any) -> None:
    """Switch a plugin on or off in a county: the rows alone, without what goes with ``switch_plugin``."""
    with county.uow() as uow:
        plugins_changed(uow)
        row = uow.session.scalars(select(TenantPlugin).where(TenantPlugin.name == name)).one_or_none()
        if row is None:
            row = TenantPlugin(name=name, enabled=enabled)
            uow.session.add(row)
        row.enabled = enabled
        row.settings = settings or row.settings or {}


@contextmanager
def planted(runtime: Runtime, name: str, **attributes: Any) -> Iterator[Installed]:
    """A plugin of this process until the end of the block.

    ``attributes`` are those of its module: hooks by name as functions, or what a ``register_*`` hook returns;
    ``manifest={…}`` changes values of its manifest, ``MANIFEST=…`` replaces it. It goes the way of an entry point, so
    look at ``.state`` and ``.reason``. An application that shall have its pages is made within the block:
    ``create_app(runtime=runtime)``. To switch it on in a county: ``switch(county, name)``.
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

    return value if hasattr(value, f"{NAMESPACE}_impl") else hookimpl(value)


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
    describe(home, name, package=package, version=version, distribution_name=distribution_name)
    with on_path(home, package):
        yield home


def describe(home: Path, name: str, *, package: str = "", version: str = "1.0", distribution_name: str = "") -> None:
    """Write what an installer would: the facts by which the distribution in ``home`` and its entry point are found."""
    distribution_name = distribution_name or f"xiangyue-{name}"
    facts = home / f"{distribution_name.replace('-', '_')}-{version}.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution_name}\nVersion: {version}\n")
    (facts / "entry_points.txt").write_text(f"[xiangyue.plugins]\n{name} = {package or f'xiangyue_{name}'}.plugin\n")


@contextmanager
def on_path(home: Path, package: str) -> Iterator[None]:
    """``home`` on ``sys.path``; what its package left in this process goes at the end."""
    sys.path.insert(0, str(home))
    tables = Tables()
    try:
        yield
    finally:
        tables.undo()
        for function in [f for f in DECLARED if f.startswith(f"{package}.")]:
            del DECLARED[function]
        sys.path.remove(str(home))
        importlib.invalidate_caches()
        for module in [m for m in sys.modules if m == package or m.startswith(f"{package}.")]:
            del sys.modules[module]
