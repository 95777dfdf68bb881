"""Finds the installed plugins and takes them in. What one does wrong is written down with its name; nothing is raised.

A plugin is an entry point of the group ``xiangyue.plugins``; its value is a module with ``MANIFEST`` and the hook
implementations. It goes through the same steps whether it was found or (in tests) planted: name, import, manifest,
version of the interface, hooks, registrations, claims, and a trial of its pages.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import structlog
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pluggy import PluginValidationError

from xiangyue.access.acts import DECLARED
from xiangyue.i18n import add_catalogue, check_catalogue, in_locale, remove_catalogue
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin import claims, hookspecs, trial
from xiangyue.plugin.installed import (
    BROKEN,
    INCOMPATIBLE,
    READY,
    REFUSED,
    STATES,
    UNMIGRATED,
    Fault,
    Installed,
    broken,
    refuse,
    told,
)
from xiangyue.plugin.limits import limited
from xiangyue.plugin.manifest import API_VERSION, ENTRY_POINTS, NAME, Manifest
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.shapes import problem_of, shown
from xiangyue.plugin.tables import Tables

if TYPE_CHECKING:
    from xiangyue.plugin.manager import Registry

__all__ = [
    "BROKEN", "INCOMPATIBLE", "READY", "REFUSED", "STATES", "UNMIGRATED",
    "Candidate", "Installed", "discover", "install", "uninstall",
]  # fmt: skip

log = structlog.get_logger()

#: A plugin that is not imported, or a hook that has not returned, in so many seconds is left out.
LONGEST = 20.0

#: Allowed names that mean "all that are installed".
ALL = "*"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that says it is a plugin. ``load()`` imports its module; it may raise anything."""

    name: str
    distribution: str
    version: str
    load: Callable[[], Any]
    #: Dotted name of the module, without the attribute part.
    module: str = ""


def discover(registry: Registry, allowed: Iterable[str] = (ALL,)) -> dict[str, Installed]:
    """Take in every installed plugin whose name is ``allowed``, in the order of their names. Never raises."""
    wanted = frozenset(allowed)
    found: dict[str, list[Candidate]] = {}
    for candidate in _candidates() if wanted else ():
        if ALL in wanted or candidate.name in wanted:
            found.setdefault(candidate.name, []).append(candidate)
    for name in sorted(wanted - {ALL} - found.keys()):
        log.warning("plugin_not_installed", plugin=name)
    for _name, same in sorted(found.items()):
        install(registry, *same)
    return registry.installed


def _candidates() -> list[Candidate]:
    try:
        points = list(metadata.entry_points(group=ENTRY_POINTS))
    except Exception as error:
        log.exception("plugins_not_listed", error=type(error).__name__)
        return []
    return [_candidate(point) for point in points]


def _candidate(point: metadata.EntryPoint) -> Candidate:
    distribution = point.dist
    return Candidate(
        name=point.name,
        distribution=distribution.name if distribution is not None else "",
        version=distribution.version if distribution is not None else "",
        load=point.load,
        module=point.value.partition(":")[0].strip(),
    )


def install(registry: Registry, candidate: Candidate, *same: Candidate) -> Installed:
    """Take in one plugin, or note why not. ``same``: other distributions that claim its name. Never raises."""
    installed = Installed(candidate.name, candidate.distribution, candidate.version)
    modules, declared, tables = set(sys.modules), set(DECLARED), Tables()
    package = _package(candidate.module)
    try:
        _take_in(registry, installed, (candidate, *same), package, tables)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may call sys.exit() while it is imported
        fault = error if isinstance(error, Fault) else broken(_l("It broke off: %(detail)s", detail=told(error)))
        installed.state, installed.reason = fault.state, fault.reason
        installed.trace = "".join(traceback.format_exception(error.__cause__ or error))
        with in_locale("en"):
            log.warning("plugin_left_out", plugin=installed.name, state=installed.state, reason=str(installed.reason))
        _forget(registry, installed, package, modules, declared, tables)
    registry.installed[installed.name] = installed
    return installed


def _take_in(
    registry: Registry, installed: Installed, candidates: tuple[Candidate, ...], package: str, tables: Tables
) -> None:
    name = installed.name
    _check_name(registry, candidates)
    module = installed.module = _import(candidates[0])
    manifest = getattr(module, "MANIFEST", None)
    if not isinstance(manifest, Manifest):
        raise broken(_l("MANIFEST of its module is %(found)s, and must be a Manifest.", found=shown(manifest)))
    try:
        _check_core_range(manifest)
    except Fault:
        if not problem_of(manifest):
            installed.manifest = replace(manifest, settings=None)  # so that its label and range are shown
        raise
    _check_manifest(manifest, name)
    installed.manifest = manifest
    tables.check(manifest.schema_name, package or module.__name__)
    installed.hooks = _register_hooks(registry, module, name)
    offered = _registrations(registry, name)
    claims.check(name, offered, registry)
    own = {p.name: p for p in offered.get("permissions", ())}
    for function, permission in DECLARED.items():
        if permission is not None and package and function.startswith(f"{package}."):
            claims.check_registered(permission, function, own, registry)
    trial.try_out(name, offered, registry)
    if words := _words(manifest, module):
        _check_words(words)
        add_catalogue(words, behind=True)
    installed.contributor = Contributor(name, module, manifest, offered)
    registry.add(installed.contributor)


def uninstall(registry: Registry, name: str) -> None:
    """As if it had never been installed; for tests that planted it."""
    installed = registry.installed.pop(name, None)
    registry.remove(name)
    if installed is None or installed.manifest is None or installed.module is None:
        return
    if words := _words(installed.manifest, installed.module):
        remove_catalogue(words)


def _forget(
    registry: Registry, installed: Installed, package: str, modules: set[str], declared: set[str], tables: Tables
) -> None:
    """Nothing of a plugin that was left out may be met later: hooks, tables, permissions of services, modules."""
    registry.remove(installed.name)
    for function in DECLARED.keys() - declared:
        if not function.startswith("xiangyue."):  # a room of the core that the plugin was the first to import
            del DECLARED[function]
    try:
        tables.undo()
    except Exception:
        log.exception("plugin_tables_left", plugin=installed.name)
    if package:
        for name in set(sys.modules) - modules:
            if name == package or name.startswith(f"{package}."):
                del sys.modules[name]


def _package(module: str) -> str:
    """The package that a module lies in: ``xiangyue_x`` for ``xiangyue_x.plugin``, itself for a lone module."""
    return module.partition(".")[0]


def _check_name(registry: Registry, candidates: tuple[Candidate, ...]) -> None:
    name = candidates[0].name
    if len(candidates) > 1 or name in registry.installed:
        held = [f"{c.distribution} {c.version}" for c in candidates]
        if known := registry.installed.get(name):
            held.append(f"{known.distribution} {known.version}")
        raise refuse(
            _l(
                "Several distributions bring a plugin of this name: %(list)s. Uninstall all but one.",
                list=", ".join(held),
            )
        )
    if not NAME.fullmatch(name):
        raise refuse(_l("“%(key)s” is no name for a plugin: small letters and digits, 2 to 31 of them.", key=name))
    if name in claims.reserved_names(registry):
        raise refuse(_l("The name “%(key)s” belongs to the core.", key=name))


def _import(candidate: Candidate) -> ModuleType:
    try:
        module = limited(candidate.load, LONGEST)
    except ImportError as error:
        if (error.name or "").startswith("xiangyue.sdk"):
            raise Fault(
                INCOMPATIBLE,
                _l(
                    "It asks the plugin interface for something that version %(ours)s does not have: %(detail)s",
                    ours=API_VERSION,
                    detail=told(error),
                ),
            ) from error
        raise broken(_l("It could not be imported: %(detail)s", detail=told(error))) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise broken(_l("It could not be imported: %(detail)s", detail=told(error))) from error
    if not isinstance(module, ModuleType):
        raise broken(_l("Its entry point leads to %(found)s, and must lead to a module.", found=shown(module)))
    return module


def _check_core_range(manifest: Manifest) -> None:
    try:
        wanted = SpecifierSet(manifest.core)
    except (InvalidSpecifier, TypeError, AttributeError) as error:
        raise broken(
            _l("MANIFEST.core is %(found)s, and must be a range like >=1.0,<2.", found=shown(manifest.core))
        ) from error
    if not wanted.contains(API_VERSION, prereleases=True):
        raise Fault(
            INCOMPATIBLE,
            _l(
                "It is made for versions %(wanted)s of the plugin interface; this installation has %(ours)s.",
                wanted=str(wanted) or manifest.core,
                ours=API_VERSION,
            ),
        )


def _check_manifest(manifest: Manifest, name: str) -> None:
    if manifest.name != name:
        raise broken(
            _l(
                "MANIFEST.name is %(found)s, and the entry point is called %(wanted)s.",
                found=shown(manifest.name),
                wanted=name,
            )
        )
    if wrong := problem_of(manifest):
        raise broken(_l("MANIFEST is wrong: %(detail)s", detail=wrong))
    for part in ("migrations", "translations", "static"):
        folder: Path | None = getattr(manifest, part)
        if folder is not None and not (folder.is_absolute() and folder.is_dir()):
            raise broken(_l("MANIFEST is wrong: %(detail)s", detail=f"{part}: {folder} is no folder (absolute path)"))
    if manifest.settings is not None:
        try:
            lacking = sorted(manifest.settings().validate({}))
        except Exception as error:
            raise broken(_l("Its settings schema fails: %(detail)s", detail=told(error))) from error
        if lacking:
            raise broken(_l("Settings without a default: %(list)s.", list=", ".join(lacking)))


def _register_hooks(registry: Registry, module: ModuleType, name: str) -> tuple[str, ...]:
    """Names of the hooks that the module implements. Raises Fault for wrong parameters and unknown hooks."""
    manager = registry.manager
    try:
        manager.register(module, name=name)
    except PluginValidationError as error:
        detail = " ".join(str(error).split())
        raise broken(_l("Its hooks do not fit: %(detail)s", detail=detail)) from error
    known = {*hookspecs.REGISTRATIONS, *hookspecs.REQUESTED, *hookspecs.HAPPENED}
    names: list[str] = []
    for hook in vars(manager.hook).values():
        for implementation in hook.get_hookimpls() if hasattr(hook, "get_hookimpls") else ():
            if implementation.plugin_name != name:
                continue
            if hook.name not in known:
                raise broken(_l("There is no hook %(hook)s.", hook=hook.name))
            if implementation.hookwrapper or implementation.wrapper:
                raise refuse(_l("Its hook %(hook)s is a wrapper round those of others.", hook=hook.name))
            if hook.name in names:
                raise broken(_l("It implements the hook %(hook)s twice.", hook=hook.name))
            names.append(hook.name)
    return tuple(sorted(names))


def _registrations(registry: Registry, name: str) -> Mapping[str, Any]:
    """Attribute of ``Offer`` -> what the plugin's hook returned. Raises Fault."""
    offered: dict[str, Any] = {}
    for hook, attribute in hookspecs.REGISTRATIONS.items():
        for implementation in getattr(registry.manager.hook, hook).get_hookimpls():
            if implementation.plugin_name != name:
                continue
            try:
                value = limited(implementation.function, LONGEST)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise broken(_l("Its hook %(hook)s failed: %(detail)s", hook=hook, detail=told(error))) from error
            offered[attribute] = claims.returned(hook, value)
    return offered


def _words(manifest: Manifest, module: ModuleType) -> Path | None:
    """Its folder of translations: the manifest's, or that beside its module."""
    if manifest.translations is not None:
        return manifest.translations
    beside = Path(module.__file__ or "").parent / "translations" if getattr(module, "__file__", None) else None
    return beside if beside is not None and beside.is_dir() else None


def _check_words(folder: Path) -> None:
    try:
        check_catalogue(folder)
    except Exception as error:
        raise broken(_l("Its translations cannot be read: %(detail)s", detail=told(error))) from error
