"""A hook is a contract: documented with its exact signature and an example, tested, used by the example plugin.

And the core knows no plugin: the name of none stands in it.
"""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from xiangyue.plugin import hookspecs

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core" / "xiangyue"
EXAMPLE = ROOT / "plugins" / "example"
REFERENCE = ROOT / "docs" / "plugins" / "hooks.md"
HOOKS = (*hookspecs.REGISTRATIONS, *hookspecs.REQUESTED, *hookspecs.HAPPENED)
SPECIFIED = {
    name: value
    for family in hookspecs.FAMILIES
    for name, value in vars(family).items()
    if hasattr(value, f"{hookspecs.NAMESPACE}_spec")
}


def signature(hook: str, source: str) -> str:
    """``def …(…) -> …`` of a function as it stands in a file, in one form whatever its lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == hook:
            returned = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
            return f"def {hook}({ast.unparse(node.args)}){returned}"
    return ""


def sections(page: str) -> dict[str, str]:
    """Heading of the third level (a hook) -> what stands below it."""
    parts = re.split(r"^### `([a-z_]+)`$", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documentation_faults(page: str) -> list[str]:
    """What the reference says otherwise than the code, or not at all."""
    source = "\n".join(inspect.getsource(family) for family in hookspecs.FAMILIES)
    found = sections(page)
    faults = [f"{hook}: is no hook" for hook in found if hook not in HOOKS]
    for hook in HOOKS:
        text = found.get(hook)
        if text is None:
            faults.append(f"{hook}: is not described")
            continue
        blocks = re.findall(r"```python\n(.*?)```", text, flags=re.S)
        wanted = signature(hook, source)
        if len(blocks) != 2:
            faults.append(f"{hook}: wants two blocks of Python, its signature and an example; has {len(blocks)}")
        elif signature(hook, blocks[0].rstrip() + "\n    ...\n") != wanted:
            faults.append(f"{hook}: the code says {wanted}")
        elif f"def {hook}(" not in blocks[1] or "@hookimpl" not in blocks[1]:
            faults.append(f"{hook}: the second block is no example of it")
        else:
            own = set(inspect.signature(SPECIFIED[hook]).parameters)
            named = {argument.arg for argument in _arguments(hook, blocks[1])}
            faults += [f"{hook}: the example asks for {name!r}, which it does not get" for name in named - own]
    return faults


def _arguments(hook: str, source: str) -> list[ast.arg]:
    tree = ast.parse(source)
    return next(n.args.args for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == hook)


def test_every_hook_is_a_specification_and_in_one_family() -> None:
    assert set(SPECIFIED) == set(HOOKS)
    assert len(HOOKS) == len(set(HOOKS))
    for hook in HOOKS:
        families = (hook.startswith("register_"), hook.endswith("_requested"), hook.endswith("_happened"))
        lists = (hook in hookspecs.REGISTRATIONS, hook in hookspecs.REQUESTED, hook in hookspecs.HAPPENED)
        assert families == lists, hook


def test_every_hook_is_documented_as_it_is() -> None:
    assert documentation_faults(REFERENCE.read_text("utf-8")) == []


#: What is changed in the reference -> the fault that must be found.
PLANTED = {
    ("### `register_work`", "### `register_labour`"): "register_work: is not described",
    ("def import_commit_requested(uow: Uow, batch_id: int)", "def import_commit_requested(uow: Uow, id: int)"): (
        "import_commit_requested: the code says def import_commit_requested(uow: Uow, batch_id: int) -> None"
    ),
    ("def plugin_switch_happened(uow, enabled)", "def plugin_switch_happened(uow, on)"): (
        "plugin_switch_happened: the example asks for 'on', which it does not get"
    ),
}


@pytest.mark.parametrize(("change", "fault"), PLANTED.items())
def test_planted_documentation_is_found_out(change: tuple[str, str], fault: str) -> None:
    page = REFERENCE.read_text("utf-8")
    assert change[0] in page
    assert fault in documentation_faults(page.replace(*change))


def hooks_with_a_test(folder: Path) -> set[str]:
    """Hooks that a test of the folder is named after."""
    names = set()
    for path in folder.glob("test_*.py"):
        names |= {
            node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
        }
    return {hook for hook in HOOKS if f"test_{hook}" in names}


def test_every_hook_has_a_test() -> None:
    assert set(HOOKS) - hooks_with_a_test(EXAMPLE / "tests") == set()


def test_a_hook_without_a_test_is_found(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("def test_register_work(): pass\n")
    assert hooks_with_a_test(tmp_path) == {"register_work"}


def implemented(source: str) -> set[str]:
    """Functions marked ``@hookimpl``."""
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(mark) == "hookimpl" for mark in node.decorator_list)
    }


def test_the_example_plugin_uses_every_hook() -> None:
    module = EXAMPLE / "src" / "xiangyue_errands" / "plugin.py"
    assert implemented(module.read_text("utf-8")) == set(HOOKS)


def plugin_names(root: Path) -> set[str]:
    """Names of a checkout's plugins: those of their entry points, which everything of theirs begins with."""
    names: set[str] = set()
    for path in root.glob("plugins/*/pyproject.toml"):
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        names |= set(project.get("entry-points", {}).get("xiangyue.plugins", {}))
    return names


def named_in(folder: Path, names: set[str]) -> list[str]:
    """Places where a plugin's name stands as a word, or as the beginning of one (``contact321_colour``)."""
    pattern = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(sorted(names))})(?![A-Za-z0-9])")
    found = []
    for path in sorted(folder.rglob("*")):
        # What is built or installed, and pictures.
        if not path.is_file() or {"node_modules", "static", "__pycache__"} & set(path.parts):
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="ignore").splitlines(), 1):
            found += [f"{path.relative_to(folder)}:{number}: {match[1]}" for match in pattern.finditer(line)]
    return found


def test_no_plugins_name_stands_in_the_core() -> None:
    names = plugin_names(ROOT)
    assert {"contact321", "errands"} <= names
    assert named_in(CORE, names) == []


def test_a_planted_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text('KEY = "contact321_colour"\nOTHER = "contact3210 mycontact321"\n')
    assert named_in(tmp_path, {"contact321"}) == ["x.py:1: contact321"]
