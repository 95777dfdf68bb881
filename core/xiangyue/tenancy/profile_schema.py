"""The shape of ``tenant.toml``: which keys there are and what each may hold.

Faults come out as ``Fault`` objects in marshmallow's nested messages; ``faults`` flattens them to key paths.
What needs more than one key to judge (unknown permissions, double keys) is in ``profile_checks``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from xiangyue.i18n import LOCALES, _, _l
from xiangyue.tenancy.field_owners import DEPARTMENTS, STANDARD
from xiangyue.tenancy.hosts import slug_fault
from xiangyue.tenancy.profile_problems import did_you_mean, one_of
from xiangyue.tenancy.profile_toml import Path_

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OWN_FIELD = re.compile(r"custom\.(household|person)\.[a-z][a-z0-9_]{0,39}")
NAME_LENGTH = 60
HELP_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Fault:
    message: Any
    suggestion: str = ""


def _wrong(message: str, suggestion: str = "") -> ValidationError:
    return ValidationError([Fault(message, suggestion)])


def faults(messages: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Fault]]:
    """Key path and Fault of everything in a ValidationError's messages."""
    if isinstance(messages, Mapping):
        for step, inner in messages.items():
            yield from faults(inner, path if step == "_schema" else (*path, step))
    else:
        for item in messages:
            yield path, item if isinstance(item, Fault) else Fault(str(item))


class Text(fields.String):
    """Text that is not blank unless ``blank`` is true, of at most ``longest`` characters, on one line."""

    def __init__(self, *, blank: bool = False, longest: int = NAME_LENGTH, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blank = blank
        self.longest = longest

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                raise _wrong(_("must be text in quotes"), _('write "%(value)s"', value=value))
            raise _wrong(_("must be text in quotes"))
        if not value.strip() and not self.blank:
            raise _wrong(_("must not be empty"))
        if value != value.strip() or not value.isprintable():
            raise _wrong(_("must be one line without blanks around it"))
        if len(value) > self.longest:
            raise _wrong(_("has %(n)d characters, at most %(most)d fit", n=len(value), most=self.longest))
        return value


class Choice(fields.String):
    """One of a closed list."""

    def __init__(self, *allowed: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise _wrong(_("must be text in quotes"), one_of(str(value), self.allowed))
        if value not in self.allowed:
            raise _wrong(_("'%(value)s' is not known here", value=value), one_of(value, self.allowed))
        return value


class Key(fields.String):
    """A name for machines: small letters, digits and underscores, a letter first."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise _wrong(_("must be text in quotes"))
        if fault := key_fault(value):
            raise ValidationError([fault])
        return value


def key_fault(value: str) -> Fault | None:
    if _KEY.fullmatch(value):
        return None
    mended = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")[:40]
    suggestion = _("did you mean '%(word)s'?", word=mended) if _KEY.fullmatch(mended) else ""
    return Fault(
        _("'%(value)s' is not a key: up to 40 small letters, digits, '_', a letter first", value=value),
        suggestion,
    )


class Slug(Text):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        value = super()._deserialize(value, attr, data, **kwargs)
        if fault := slug_fault(value):
            raise _wrong(*fault)
        return value


class AreaCode(Text):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        value = super()._deserialize(value, attr, data, **kwargs)
        if re.fullmatch(r"[1-9][0-9]{5}", value):
            return value
        suggestion = ""
        if re.fullmatch(r"[1-9][0-9]{5}0{3,9}", value):
            suggestion = _("did you mean '%(word)s'?", word=value[:6])
        raise _wrong(_("'%(value)s' is not a county's code of six digits", value=value), suggestion)


class Flag(fields.Boolean):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        suggestion = ""
        if word in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
            meant = "true" if word in {"true", "yes", "on", "1"} else "false"
            suggestion = _("did you mean %(word)s without quotes?", word=meant)
        raise _wrong(_("must be true or false"), suggestion)


class Whole(fields.Integer):
    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            message = _("must be a whole number from %(least)d to %(most)d", least=self.least, most=self.most)
            raise _wrong(message)
        return value


class ListOf(fields.List[Any]):
    default_error_messages = {"invalid": [Fault(_l("must be a list: [ … ]"))]}


class TableOf(fields.Field[dict[str, Any]]):
    """A table of tables whose keys the county chooses, as ``[roles.town]``."""

    def __init__(self, schema: type[Schema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = schema

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise _wrong(_("must be a table: [%(name)s.NAME]", name=attr))
        loaded: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for key, item in value.items():
            if fault := key_fault(key):
                wrong[key] = {"_schema": [fault]}
                continue
            try:
                loaded[key] = self.schema().load(item)
            except ValidationError as error:
                wrong[key] = error.messages
        if wrong:
            raise ValidationError(wrong)
        return loaded


class AnyTable(fields.Field[dict[str, Any]]):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise _wrong(_("must be a table"))
        return value


class Strict(Schema):
    """Unknown keys are faults with a suggestion; a missing key is said in our words."""

    class Meta:
        unknown = EXCLUDE

    # marshmallow puts the value into its messages as it is, so an object serves as well as text.
    error_messages = cast("dict[str, str]", {"type": Fault(_l("must be a table"))})

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.error_messages["required"] = [Fault(_("is missing"))]

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def no_unknown_keys(self, data: Any, original: Any, **kwargs: Any) -> None:
        if not isinstance(original, Mapping):
            return
        unused = [name for name in self.fields if name not in original]
        wrong = {
            key: [Fault(_("is not a known key"), did_you_mean(key, unused) or did_you_mean(key, self.fields))]
            for key in original
            if key not in self.fields
        }
        if wrong:
            raise ValidationError(wrong)


class Owners(fields.Field[dict[str, str]]):
    """Field of the register (``person.phone``, ``custom.household.water``) -> department."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise _wrong(_("must be a table"))
        wrong: dict[str, Any] = {}
        for name, department in value.items():
            if name not in STANDARD and not _OWN_FIELD.fullmatch(name):
                wrong[name] = [Fault(_("is not a field of the register"), did_you_mean(name, STANDARD))]
            elif department not in DEPARTMENTS:
                message = _("'%(value)s' is not known here", value=department)
                wrong[name] = [Fault(message, one_of(str(department), tuple(DEPARTMENTS)))]
        if wrong:
            raise ValidationError(wrong)
        return dict(value)


class SettingsSchema(Strict):
    allow_synthetic_people = Flag(load_default=False)
    require_totp_roles = ListOf(Text(), load_default=list)
    session_hours = Whole(least=1, most=168, load_default=None)
    request_days = Whole(least=1, most=30, load_default=15)
    request_days_source = Text(blank=True, longest=200, load_default="")
    import_file_days = Whole(least=1, most=180, load_default=30)
    field_owners = Owners(load_default=dict)


class PluginSchema(Strict):
    enabled = Flag(load_default=True)
    settings = AnyTable(load_default=dict)


class RoleSchema(Strict):
    name_zh = Text(load_default="")
    name_en = Text(load_default="")
    permissions = ListOf(Text(), load_default=None)
    template = Text(load_default=None)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def one_origin(self, data: Any, original: Any, **kwargs: Any) -> None:
        if not isinstance(original, Mapping):
            return
        wrong: dict[str, list[Fault]] = {}
        if "template" in original and "permissions" in original:
            wrong["permissions"] = [Fault(_("a role has either permissions or a template"), _("leave one out"))]
        elif "template" not in original:
            if "permissions" not in original:
                wrong["_schema"] = [Fault(_("a role needs permissions or a template"))]
            for name in ("name_zh", "name_en"):
                if name not in original:
                    wrong[name] = [Fault(_("is missing"))]
        if wrong:
            raise ValidationError(wrong)


class OptionSchema(Strict):
    key = Key(required=True)
    label_zh = Text(required=True)
    label_en = Text(required=True)


class CustomFieldSchema(Strict):
    entity = Choice("household", "person", required=True)
    key = Key(required=True)
    type = Choice("text", "integer", "decimal", "date", "boolean", "choice", required=True)
    label_zh = Text(required=True)
    label_en = Text(required=True)
    required = Flag(load_default=False)
    options = ListOf(fields.Nested(OptionSchema), load_default=list)
    help_zh = Text(blank=True, longest=HELP_LENGTH, load_default="")
    help_en = Text(blank=True, longest=HELP_LENGTH, load_default="")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def options_for_choice(self, data: Any, original: Any, **kwargs: Any) -> None:
        if not isinstance(original, Mapping):
            return
        if original.get("type") == "choice" and not original.get("options"):
            raise ValidationError({"options": [Fault(_("a choice needs options"))]})
        if original.get("type") != "choice" and original.get("options"):
            fault = Fault(_("only a choice has options"), _('set type = "choice" or leave them out'))
            raise ValidationError({"options": [fault]})


class MarkSchema(Strict):
    key = Key(required=True)
    name_zh = Text(required=True)
    name_en = Text(required=True)
    sensitivity = Choice("normal", "sensitive", load_default="normal")
    follows_to_household = Flag(load_default=True)
    source = Text(blank=True, load_default="")


class AwardSchema(Strict):
    key = Key(required=True)
    name_zh = Text(required=True)
    name_en = Text(required=True)
    subject = Choice("household", load_default="household")
    period = Choice("year", load_default="year")


def _organisations() -> Schema:
    from xiangyue.tenancy.profile_organisations import OrganisationsSchema  # it is made of the fields of this module

    return OrganisationsSchema()


def _notice() -> Schema:
    from xiangyue.tenancy.profile_notices import NoticeSchema  # it is made of the fields of this module

    return NoticeSchema()


def _grids() -> Schema:
    from xiangyue.tenancy.profile_grids import GridsSchema  # as above

    return GridsSchema()


class ProfileSchema(Strict):
    slug = Slug(required=True, longest=200)
    name = Text(required=True)
    name_en = Text(required=True)
    area_code = AreaCode(required=True)
    hosts = ListOf(Text(longest=300), load_default=list)
    locale = Choice(*LOCALES, load_default="zh")
    settings = fields.Nested(SettingsSchema, load_default=lambda: SettingsSchema().load({}))
    plugins = TableOf(PluginSchema, load_default=dict)
    roles = TableOf(RoleSchema, load_default=dict)
    custom_fields = ListOf(fields.Nested(CustomFieldSchema), load_default=list)
    marks = ListOf(fields.Nested(MarkSchema), load_default=None)
    awards = ListOf(fields.Nested(AwardSchema), load_default=None)
    grids = fields.Nested(_grids, load_default=lambda: _grids().load({}))
    organisations = fields.Nested(_organisations, load_default=lambda: _organisations().load({}))
    notices = ListOf(fields.Nested(_notice), load_default=list)
