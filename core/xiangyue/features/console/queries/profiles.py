"""County profiles that this deployment can apply: folders under ``profiles_dir``, and any county by its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xiangyue.errors import NotFound
from xiangyue.features.console import policy
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import Runtime
from xiangyue.tenancy.profile import TOML_FILE, ProfileErrors, ProfileProblem, load_profile
from xiangyue.tenancy.profile_types import Profile
from xiangyue.tenancy.provision import Change

#: Folders on one page of the console: each is read and judged.
FOLDERS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Folder:
    """A profile folder: its profile, or what is wrong with it."""

    name: str
    profile: Profile | None
    problems: tuple[ProfileProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Changes of one verb to one kind of thing; ``kind`` is a key of policy.THINGS or the raw word."""

    verb: str
    kind: str
    changes: tuple[tuple[str, Change], ...]


def read_profile(runtime: Runtime, directory: Path) -> Profile:
    """The profile in a folder, judged against what is installed here. Raises ProfileErrors with every fault."""
    registry = runtime.registry
    return load_profile(
        directory,
        known_permissions=registry.permissions.names("county"),
        known_templates=registry.role_templates,
        known_plugins=frozenset(registry.installed),
        base_domain=runtime.settings.base_domain,
    )


def folder_names(runtime: Runtime) -> list[str]:
    """Names of the folders that hold a ``tenant.toml``; none when there is no such directory."""
    root = runtime.settings.profiles_dir
    return sorted(file.parent.name for file in root.glob(f"*/{TOML_FILE}")) if root.is_dir() else []


def folders(runtime: Runtime, names: Sequence[str]) -> list[Folder]:
    """These folders, read."""
    return [get_folder(runtime, name) for name in names]


def get_folder(runtime: Runtime, name: str) -> Folder:
    """One folder by its name, which must be one of those listed. Raises NotFound."""
    if name not in folder_names(runtime):
        raise NotFound(_l("There is no profile folder “%(name)s”.", name=name))
    try:
        return Folder(name, read_profile(runtime, runtime.settings.profiles_dir / name))
    except ProfileErrors as error:
        return Folder(name, None, tuple(error.problems))


def grouped(changes: Sequence[Change]) -> list[PlanGroup]:
    """A plan in a few groups instead of hundreds of lines, each change with the name it is about."""
    groups: dict[tuple[str, str], list[tuple[str, Change]]] = {}
    for change in changes:
        kind = next((k for k in policy.THINGS if change.what.startswith(f"{k} ")), change.what.partition(" ")[0])
        groups.setdefault((change.verb, kind), []).append((change.what[len(kind) :].strip(), change))
    return [PlanGroup(verb, kind, tuple(items)) for (verb, kind), items in groups.items()]
