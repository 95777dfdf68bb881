"""A county's profile as typed, unchangeable values: what ``tenant.toml`` and its CSV files say once they are
right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from xiangyue.tenancy.profile_grids import GridsSpec
    from xiangyue.tenancy.profile_organisations import OrganisationsSpec

Level = Literal["county", "town", "village", "group"]
GROUP_FACTOR = 1000  # an area code is the 12-digit official code and three digits for the villager group


@dataclass(frozen=True, slots=True)
class DivisionRow:
    """One area. Codes have 15 digits.

    ``kind`` follows from the code's range: county; town, township, subdistrict or other; village_committee,
    community or other; villager_group. ``name`` is the official one (上七村村委会), ``display_name`` what
    people say (上七村), ``short_name`` the shortest that is still plain beside its parent (漩涡 for 漩涡镇);
    ``former_names`` what it was called before.
    """

    code15: int
    level: Level
    kind: str
    name: str
    display_name: str
    short_name: str
    parent15: int | None
    former_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """Switches of a county. ``session_hours`` None: as the instance is set.

    ``request_days``: working days in which a request about personal information is answered, and the paper that says
    so ("" for that of the core). ``import_file_days``: how long an uploaded file is kept. ``field_owners``: where a
    department other than that of ``tenancy.field_owners`` answers for a field.
    """

    allow_synthetic_people: bool = False
    require_totp_roles: tuple[str, ...] = ()
    session_hours: int | None = None
    request_days: int = 15
    request_days_source: str = ""
    import_file_days: int = 30
    field_owners: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """``settings`` are raw values; the plugin's own schema judges them when the profile is applied."""

    name: str
    enabled: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role with its own ``permissions``, or one made from ``template``. Empty names: those of the
    template.
    """

    key: str
    name_zh: str = ""
    name_en: str = ""
    permissions: tuple[str, ...] = ()
    template: str | None = None


@dataclass(frozen=True, slots=True)
class OptionSpec:
    key: str
    label_zh: str
    label_en: str


@dataclass(frozen=True, slots=True)
class CustomFieldSpec:
    """A field of the county's own on households or persons; ``options`` only where ``type`` is choice."""

    entity: Literal["household", "person"]
    key: str
    type: Literal["text", "integer", "decimal", "date", "boolean", "choice"]
    label_zh: str
    label_en: str
    required: bool = False
    options: tuple[OptionSpec, ...] = ()
    help_zh: str = ""
    help_en: str = ""


@dataclass(frozen=True, slots=True)
class MarkSpec:
    """A mark on persons. ``source`` is the department that answers for it; ``follows_to_household`` shows it
    on the person's household too.
    """

    key: str
    name_zh: str
    name_en: str
    sensitivity: Literal["normal", "sensitive"] = "normal"
    follows_to_household: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class NoticeSpec:
    """A notice or form of consent that the county publishes when its profile is applied. ``text_zh``, ``text_en``: by
    paragraphs; ``data``: kinds of data. ``change_note``: of a text that differs from the version before; ``again``: who
    consented to that is asked again."""

    key: str
    kind: str
    title_zh: str
    text_zh: tuple[str, ...]
    purpose: str
    data: tuple[str, ...]
    retention: str
    handler: str
    title_en: str = ""
    text_en: tuple[str, ...] = ()
    lawful_basis: str = "duty"
    source: str = ""
    consequence: str = ""
    whom: str = "all"
    change_note: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class AwardSpec:
    """An award given to a household for a year."""

    key: str
    name_zh: str
    name_en: str
    subject: Literal["household"] = "household"
    period: Literal["year"] = "year"


@dataclass(frozen=True, slots=True)
class Profile:
    """One county. ``hosts`` are its own domains besides ``<slug>.<base domain>``; ``divisions`` holds the
    county first, then all others by code. Empty ``roles``: one role for each template. No ``organisations``: the core's
    kinds.
    """

    slug: str
    name: str
    name_en: str
    area_code: str
    province: str
    city: str
    divisions: tuple[DivisionRow, ...]
    hosts: tuple[str, ...] = ()
    locale: str = "zh"
    settings: ProfileSettings = ProfileSettings()
    plugins: tuple[PluginSpec, ...] = ()
    roles: tuple[RoleSpec, ...] = ()
    custom_fields: tuple[CustomFieldSpec, ...] = ()
    marks: tuple[MarkSpec, ...] = ()
    awards: tuple[AwardSpec, ...] = ()
    organisations: OrganisationsSpec | None = None
    notices: tuple[NoticeSpec, ...] = ()
    grids: GridsSpec | None = None
    # File and lines of this profile's keys, for those who check more when it is applied.
    file: str = field(default="", compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def code15(self) -> int:
        return county_code15(self.area_code)

    def at_level(self, level: Level) -> tuple[DivisionRow, ...]:
        return tuple(row for row in self.divisions if row.level == level)

    @property
    def county(self) -> DivisionRow:
        return self.divisions[0]

    @property
    def towns(self) -> tuple[DivisionRow, ...]:
        return self.at_level("town")

    @property
    def villages(self) -> tuple[DivisionRow, ...]:
        return self.at_level("village")

    @property
    def groups(self) -> tuple[DivisionRow, ...]:
        return self.at_level("group")


def county_code15(area_code: str) -> int:
    """``"610921"`` -> 610921000000000."""
    return int(area_code) * 10**6 * GROUP_FACTOR
