"""The developer's kit from the command line: a plugin from the template, and the conformance tests of one."""

from __future__ import annotations

import importlib.util
import keyword
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from xiangyue.errors import Conflict, Invalid, NotFound
from xiangyue.i18n import gettext as _
from xiangyue.i18n import in_locale
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.claims import reserved_names
from xiangyue.plugin.manifest import API_VERSION, ENTRY_POINTS, NAME
from xiangyue.plugin.offer import Offer

TEMPLATE = Path(__file__).parent / "template"
#: What would break the Python, TOML or catalogue that a label is written into.
_UNFIT = set("\"'\\{}[]<>%")
_LONGEST_LABEL = 60


def bake(offer: Offer, name: str, folder: Path, *, label: str = "", label_zh: str = "") -> Path:
    """Write a new plugin into ``folder/name`` from the template; returns that folder.

    Raises Invalid for a name or label that cannot be used, Conflict where something is already there, NotFound where
    the kit's own needs are not installed.
    """
    _need("copier")
    label = label or name.capitalize()
    if not label_zh:
        with in_locale("zh"):
            label_zh = _("Plugin %(name)s", name=name)
    faults = {}
    if not NAME.fullmatch(name):
        faults["name"] = [_l("Small letters and digits, 2 to 31 of them, a letter first.")]
    elif name in reserved_names(offer):
        faults["name"] = [_l("This name belongs to the core.")]
    elif _taken(name):
        faults["name"] = [_l("This name is a word of Python or of something that is installed here.")]
    for key, text in (("label", label), ("label_zh", label_zh)):
        if faults.get("name"):
            continue
        if _UNFIT & set(text) or not text.strip() or not text.isprintable():
            faults[key] = [_l("Plain words, without quotes, brackets, % and backslashes.")]
        elif len(text) > _LONGEST_LABEL:
            faults[key] = [_l("At most %(n)d characters.", n=_LONGEST_LABEL)]
    if faults:
        raise Invalid(faults)
    target = folder / name
    if target.exists() and any(target.iterdir()):
        raise Conflict(_l("There is something in %(folder)s already. Name another folder.", folder=str(target)))
    import copier

    data = {"name": name, "label": label.strip(), "label_zh": label_zh.strip(), "api": API_VERSION}
    copier.run_copy(str(TEMPLATE), target, data=data, quiet=True, defaults=True)
    return target


def _taken(name: str) -> bool:
    """Whether a plugin, distribution or module of this name is there; a mere folder of the name is none."""
    if keyword.iskeyword(name) or name in metadata.entry_points(group=ENTRY_POINTS).names:
        return True
    found = importlib.util.find_spec(name)
    if found is not None and found.origin is not None:
        return True
    return any(_distribution(known) for known in (name, f"xiangyue-{name}"))


def _distribution(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def check(name: str) -> int:
    """Run the conformance tests of an installed plugin in a process of their own, which says how each went; returns
    its exit code. Raises NotFound where the plugin or the kit's needs are not installed."""
    for module in ("pytest", "openapi_spec_validator", "sqlglot"):
        _need(module)
    if name not in metadata.entry_points(group=ENTRY_POINTS).names:
        raise NotFound(_l("No plugin “%(name)s” is installed here. `xiangyue plugin list` names them.", name=name))
    return subprocess.run([sys.executable, "-m", "xiangyue.features.plugins.check", name], check=False).returncode


def _need(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise NotFound(
            _l(
                "This needs the developer's packages, and %(name)s is not among what is installed. "
                "`make setup` in a checkout brings them.",
                name=module,
            )
        )
