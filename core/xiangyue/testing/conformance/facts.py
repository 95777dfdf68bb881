"""What a plugin says of itself: manifest, hooks, rights, settings, and words for all of it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow import missing as nothing
from packaging.specifiers import SpecifierSet

from xiangyue.db.uow import Uow
from xiangyue.features.plugins.settings_choices import asked, asking
from xiangyue.i18n import in_locale
from xiangyue.plugin import hookspecs
from xiangyue.plugin.dispatch import implementations
from xiangyue.plugin.faults import Nonsense
from xiangyue.plugin.manifest import API_VERSION
from xiangyue.plugin.offer import Contributor
from xiangyue.testing.conformance.kit import Kit, none_of
from xiangyue.testing.source import python_files
from xiangyue.testing.statements import counted

#: Choices of a setting are one statement or two, however many there are; the scope of the session comes with each.
MOST_STATEMENTS = 8
_CJK = re.compile(r"[\u3400-\u9fff]")
_HOOK = re.compile(r"register_[a-z_]+|[a-z_]+_(requested|happened)")
#: Attributes of an offer whose items have a label.
_LABELLED = (
    "permissions", "navigation", "household_panels", "household_filters", "household_columns", "dashboard_cards",
    "search_kinds", "jobs", "classifiers", "follows", "imports",
)  # fmt: skip


def unsaid(what: str, text: Any) -> list[str]:
    """What is wrong with a text that people read in both languages."""
    with in_locale("en"):
        english = str(text).strip()
    with in_locale("zh"):
        chinese = str(text).strip()
    if not english or not chinese:
        return [f"{what}: empty"]
    if _CJK.search(english):
        return [f"{what}: Chinese on English pages: {english}"]
    if not _CJK.search(chinese) and any(c.isalpha() for c in chinese):
        return [f"{what}: no Chinese for {english!r}"]
    return []


class FactTests:
    def test_it_is_taken_in(self, kit: Kit) -> None:
        """Name, manifest, interface version, hooks and their parameters, claims, tables, addresses: all is its own."""
        installed = kit.installed
        assert installed is not None, f"no plugin {kit.name!r} is installed here"
        with in_locale("en"):
            assert installed.ready, f"{installed.state}: {installed.reason}"

    def test_manifest_says_who_it_is(self, kit: Kit) -> None:
        manifest = kit.plugin.manifest
        assert manifest is not None
        faults = unsaid("label", manifest.label) + unsaid("summary", manifest.summary)
        if kit.plugin.distribution and manifest.version != metadata.version(kit.plugin.distribution):
            faults.append(f"version {manifest.version} is not that of the distribution, {kit.plugin.version}")
        following = f"{int(API_VERSION.partition('.')[0]) + 1}.0"
        if SpecifierSet(manifest.core).contains(following):
            faults.append(f"core: {manifest.core!r} promises to work with {following}, which nobody has seen")
        none_of(faults)

    def test_every_hook_is_marked_and_known(self, kit: Kit) -> None:
        module = kit.plugin.module
        assert module is not None
        known = {*hookspecs.REGISTRATIONS, *hookspecs.REQUESTED, *hookspecs.HAPPENED}
        faults = []
        for name, value in vars(module).items():
            if not (inspect.isfunction(value) and value.__module__ == module.__name__):
                continue
            options = getattr(value, f"{hookspecs.NAMESPACE}_impl", None)
            if options is None and _HOOK.fullmatch(name):
                faults.append(f"{name} looks like a hook and is not marked with @hookimpl")
            elif options is not None and (options.get("specname") or name) not in known:
                faults.append(f"{name} is no hook")
            elif options is not None and (options.get("wrapper") or options.get("hookwrapper")):
                faults.append(f"{name} wraps other plugins' hooks")
        none_of(faults)

    def test_rights_are_its_own_and_given_to_somebody(self, kit: Kit) -> None:
        given = kit.plugin.contributor.offered.get("role_templates", {}) if kit.plugin.contributor else {}
        held = frozenset().union(*given.values()) if given else frozenset()
        faults = []
        for permission in kit.offered("permissions"):
            if not permission.name.startswith(f"{kit.name}."):
                faults.append(f"{permission.name} does not begin with {kit.name}.")
            if permission.name not in held:
                faults.append(f"{permission.name} is given to nobody by register_role_templates")
        none_of(faults)

    def test_everything_is_labelled_in_both_languages(self, kit: Kit) -> None:
        faults = []
        for attribute in _LABELLED:
            for item in kit.offered(attribute):
                key = getattr(item, "key", "") or item.name
                faults += unsaid(f"{attribute} {key}", item.label)
                for part in ("outcomes", "inputs", "steps"):
                    for inner in getattr(item, part, ()):
                        faults += unsaid(f"{attribute} {key} {part} {inner.key}", inner.label)
        none_of(faults)

    def test_settings_have_defaults_and_labels(self, kit: Kit) -> None:
        manifest = kit.plugin.manifest
        schema = manifest.settings() if manifest is not None and manifest.settings is not None else None
        none_of([] if schema is None else setting_faults(schema.fields))

    def test_choices_of_settings_are_the_countys(self, kit: Kit) -> None:
        """Each answers with pairs that its field takes, in both counties, and in no more statements than a few."""
        manifest = kit.plugin.manifest
        if manifest is None or manifest.settings is None:
            return
        faults = []
        for county in (kit.on, kit.other):
            for path, ask in asking(manifest.settings()):
                with county.uow() as uow:
                    faults += [f"{path}: {fault}" for fault in choice_faults(manifest.settings(), path, ask, uow)]
        none_of(sorted(set(faults)))

    def test_audit_actions_have_words(self, kit: Kit) -> None:
        contributor = kit.plugin.contributor
        assert contributor is not None
        words = contributor.offered.get("audit_actions", {})
        faults = [fault for action, text in words.items() for fault in unsaid(f"action {action}", text)]
        for path in python_files(kit.folder):
            for line, action in audited(path.read_text("utf-8")):
                if action not in words:
                    faults.append(f"{path.name}:{line}: action {action!r} has no words in register_audit_actions")
        none_of(faults)


def setting_faults(found: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, field in found.items():
        path = f"{above}{name}"
        if isinstance(field, fields.Nested) and not above:
            yield from setting_faults(field.schema.fields, f"{path}.")
        elif field.load_default is nothing:
            yield f"{path}: no load_default"
        if not field.metadata.get("label"):
            yield f"{path}: no metadata label"
        for key in ("label", "help", "unit"):
            if field.metadata.get(key):
                yield from unsaid(f"{path} {key}", field.metadata[key])


def choice_faults(schema: Schema, path: str, ask: Any, uow: Uow) -> Iterator[str]:
    """What is wrong with the choices that a setting has in a county."""
    with counted() as statements:
        try:
            choices = asked(ask, uow)
        except Nonsense as fault:
            yield str(fault)
            return
        except Exception as error:
            yield f"choices fail: {type(error).__name__}"
            return
    if len(statements) > MOST_STATEMENTS:
        yield f"{len(statements)} statements for {len(choices)} choices"
    field: Any = None
    for key in path.split("."):
        found = (schema if field is None else field.schema).load_fields
        field = next(f for name, f in found.items() if (f.data_key or name) == key)
    for key, _label in choices:
        try:
            (field.inner if isinstance(field, fields.List) else field).deserialize(key)
        except ValidationError as error:
            yield f"its own validation refuses the choice {key!r}: {error}"


def audited(source: str) -> Iterator[tuple[int, str]]:
    """(line, action) of each ``audit(uow, action="…")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "audit":
            for keyword in node.keywords:
                if keyword.arg == "action" and isinstance(keyword.value, ast.Constant):
                    yield node.lineno, str(keyword.value.value)


def told_hooks(contributor: Contributor) -> list[str]:
    """The ``*_happened`` hooks that it implements."""
    return [hook for hook in hookspecs.HAPPENED if hook in implementations(contributor)]
