"""A county's profile: a folder with ``tenant.toml``, ``divisions.csv`` and, if wanted, ``groups.csv``.

``load_profile`` reads and judges it without a database. Every key is described in ``docs/profiles.md``.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from marshmallow import ValidationError
from rapidfuzz import fuzz

from xiangyue.errors import NotFound
from xiangyue.i18n import _
from xiangyue.tenancy.counties import find_county
from xiangyue.tenancy.divisions import county_row, read_divisions, read_groups
from xiangyue.tenancy.profile_checks import Known, check
from xiangyue.tenancy.profile_defaults import default_awards, default_marks
from xiangyue.tenancy.profile_grids import grids_from
from xiangyue.tenancy.profile_organisations import organisations_from
from xiangyue.tenancy.profile_problems import ProfileErrors, ProfileProblem
from xiangyue.tenancy.profile_schema import AreaCode, ProfileSchema, faults
from xiangyue.tenancy.profile_toml import TomlLines, dotted, locate, read_text, read_toml
from xiangyue.tenancy.profile_types import (
    AwardSpec,
    CustomFieldSpec,
    DivisionRow,
    MarkSpec,
    NoticeSpec,
    OptionSpec,
    PluginSpec,
    Profile,
    ProfileSettings,
    RoleSpec,
)

__all__ = [
    "AwardSpec",
    "CustomFieldSpec",
    "DivisionRow",
    "MarkSpec",
    "OptionSpec",
    "PluginSpec",
    "Profile",
    "ProfileErrors",
    "ProfileProblem",
    "ProfileSettings",
    "RoleSpec",
    "load_profile",
    "load_profiles",
    "problem_at",
]

TOML_FILE, DIVISIONS_FILE, GROUPS_FILE = "tenant.toml", "divisions.csv", "groups.csv"


def load_profile(
    directory: Path,
    *,
    known_permissions: Collection[str] | None = None,
    known_templates: Collection[str] | None = None,
    known_plugins: Collection[str] | None = None,
    base_domain: str | None = None,
) -> Profile:
    """The profile in ``directory``. Raises ProfileErrors with everything that is wrong, in all of its files.

    Names of permissions, role templates and plugins are checked where the matching ``known_…`` is given; with
    ``base_domain`` (no port) hosts under it are refused.
    """
    known = Known(known_permissions, known_templates, known_plugins, base_domain)
    return _Loader(Path(directory), known).load()


def load_profiles(
    root: Path,
    *,
    known_permissions: Collection[str] | None = None,
    known_templates: Collection[str] | None = None,
    known_plugins: Collection[str] | None = None,
    base_domain: str | None = None,
) -> tuple[Profile, ...]:
    """All profiles in the sub-folders of ``root``, by folder name. A slug or host may stand in one of them
    only.

    Raises ProfileErrors with the faults of all of them together.
    """
    known = Known(known_permissions, known_templates, known_plugins, base_domain)
    problems: list[ProfileProblem] = []
    profiles: list[Profile] = []
    for file in sorted(Path(root).glob(f"*/{TOML_FILE}")):
        try:
            profiles.append(_Loader(file.parent, known).load())
        except ProfileErrors as error:
            problems += error.problems
    taken: dict[str, str] = {}
    for profile in profiles:
        names = {"slug": profile.slug} | {f"hosts[{i}]": host for i, host in enumerate(profile.hosts)}
        for path, name in names.items():
            if name in taken:
                message = _("'%(value)s' is taken by %(file)s", value=name, file=taken[name])
                problems.append(problem_at(profile, path, message))
            taken.setdefault(name, profile.file)
    if problems:
        raise ProfileErrors(problems)
    return tuple(profiles)


def problem_at(profile: Profile, path: str, message: str, suggestion: str = "") -> ProfileProblem:
    """A fault found later, such as a plugin's settings that its schema refuses, with the line of ``path``
    (written as ``plugins.points.settings.year``) or of its nearest parent.
    """
    nearest = path
    while nearest and nearest not in profile.lines:
        cut = max(nearest.rfind("."), nearest.rfind("["), 0)
        nearest = nearest[:cut]
    return ProfileProblem(profile.file, profile.lines.get(nearest, 1), path, message, suggestion)


class _Loader:
    def __init__(self, directory: Path, known: Known) -> None:
        self.directory = directory
        self.known = known
        self.problems: list[ProfileProblem] = []
        self.toml = str(directory / TOML_FILE)

    def load(self) -> Profile:
        self._misnamed_files()
        values, lines = self._toml()
        area_code = _area_code(values)
        divisions = self._divisions(area_code, lines)
        if self.problems:
            raise ProfileErrors(self.problems)
        file = self.directory / TOML_FILE
        positions = {dotted(path): line for path, line in locate(read_text(file, self.toml)).items()}
        return _build(values, divisions, self.toml, positions)

    def _toml(self) -> tuple[dict[str, Any], TomlLines]:
        try:
            raw, lines = read_toml(self.directory / TOML_FILE, self.toml)
        except ProfileErrors as error:
            self.problems += error.problems
            return {}, TomlLines({})
        values: dict[str, Any] = raw
        try:
            values = ProfileSchema().load(raw)
        except ValidationError as error:
            for path, fault in faults(error.messages):
                self._toml_problem(lines, path, str(fault.message), fault.suggestion)
        for path, message, suggestion in check(raw, self.known):
            self._toml_problem(lines, path, message, suggestion)
        return values, lines

    def _toml_problem(self, lines: TomlLines, path: tuple[str | int, ...], message: str, suggestion: str) -> None:
        self.problems.append(ProfileProblem(self.toml, lines[path], dotted(path), message, suggestion))

    def _divisions(self, area_code: str | None, lines: TomlLines) -> list[DivisionRow]:
        """Rows of both files; without ``divisions.csv`` the county alone, if its code is a known one."""
        file = self.directory / DIVISIONS_FILE
        rows: list[DivisionRow] = []
        if file.exists():
            rows = self._read(lambda: read_divisions(file, str(file), area_code))
        elif area_code is not None:
            try:
                county = find_county(area_code)
                rows = [county_row(county.code6, county.name)]
            except NotFound:
                message = _("no county has the code %(code)s", code=area_code)
                suggestion = _("add its divisions.csv if it is newer than the register of 2023-06-30")
                self._toml_problem(lines, ("area_code",), message, suggestion)
        groups = self.directory / GROUPS_FILE
        if groups.exists():
            villages = [row for row in rows if row.level == "village"]
            rows += self._read(lambda: read_groups(groups, str(groups), villages))
        return sorted(rows, key=lambda row: row.code15)

    def _read(self, read: Any) -> list[DivisionRow]:
        try:
            rows, problems = read()
        except ProfileErrors as error:
            self.problems += error.problems
            return []
        self.problems += problems
        return list(rows)

    def _misnamed_files(self) -> None:
        """``division.csv`` would bring a county aboard without its towns, and nobody would be told."""
        known = (TOML_FILE, DIVISIONS_FILE, GROUPS_FILE)
        present = {path.name for path in self.directory.iterdir()} if self.directory.is_dir() else set()
        for name in sorted(present - set(known)):
            for meant in known:
                if meant not in present and fuzz.ratio(name.lower(), meant) >= 85:
                    problem = (
                        _("the file is not read under this name"),
                        _("did you mean '%(word)s'?", word=meant),
                    )
                    self.problems.append(ProfileProblem(str(self.directory / name), 0, "", *problem))


def _area_code(values: dict[str, Any]) -> str | None:
    """The county's code if it has the right shape; other checks do without it."""
    try:
        return str(AreaCode().deserialize(values.get("area_code")))
    except ValidationError:
        return None


def _build(values: dict[str, Any], divisions: list[DivisionRow], file: str, lines: dict[str, int]) -> Profile:
    settings = values["settings"]
    try:
        county = find_county(values["area_code"])
        province, city = county.province, county.city
    except NotFound:
        province = city = ""
    marks, awards = values["marks"], values["awards"]
    return Profile(
        slug=values["slug"],
        name=values["name"],
        name_en=values["name_en"],
        area_code=values["area_code"],
        province=province,
        city=city,
        divisions=tuple(divisions),
        hosts=tuple(values["hosts"]),
        locale=values["locale"],
        settings=ProfileSettings(**{**settings, "require_totp_roles": tuple(settings["require_totp_roles"])}),
        plugins=tuple(PluginSpec(name, **plugin) for name, plugin in values["plugins"].items()),
        roles=tuple(
            RoleSpec(key, **{**role, "permissions": tuple(role["permissions"] or ())})
            for key, role in values["roles"].items()
        ),
        custom_fields=tuple(
            CustomFieldSpec(**{**field, "options": tuple(OptionSpec(**option) for option in field["options"])})
            for field in values["custom_fields"]
        ),
        marks=default_marks() if marks is None else tuple(MarkSpec(**mark) for mark in marks),
        awards=default_awards() if awards is None else tuple(AwardSpec(**award) for award in awards),
        organisations=organisations_from(values["organisations"]),
        notices=tuple(
            NoticeSpec(**{**notice, **{name: tuple(notice[name]) for name in ("text_zh", "text_en", "data")}})
            for notice in values["notices"]
        ),
        grids=grids_from(values["grids"]),
        file=file,
        lines=lines,
    )
