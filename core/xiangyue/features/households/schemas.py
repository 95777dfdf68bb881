"""What the API takes and gives: the contract of lists, records and input. Lists are built from driver rows; a test
holds them and these schemas together."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.privacy.policy_care import CARED, LIVING
from xiangyue.i18n import lazy_gettext as _l

BIGINT = 2**63 - 1
SMALLINT = 2**15 - 1
#: Parameters of a county's own fields begin with it.
CUSTOM = "custom."
HOUSEHOLD_STATES = ("active", "closed")
PERSON_STATES = ("active", "moved", "deceased")
HOUSEHOLD_SORTS = ("name", "code", "size", "updated")
PERSON_SORTS = ("household", "name", "birth_date", "updated")


class _Sorts(validate.Regexp):
    """One of the list's own orders or a county's own field, either way; said in the reader's language."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(rf"^-?({'|'.join(keys)}|custom\.[a-z][a-z0-9_]{{0,39}})$")
        self.known = ", ".join((*keys, f"{CUSTOM}<key>"))

    def _format_error(self, value: Any) -> str:
        return str(_l("Unknown: %(unknown)s. Known: %(known)s.", unknown=value, known=self.known))


class AreaCode(fields.Field[int]):
    """An area's code of 6, 9, 12 or 15 digits, as the 15-digit number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> int:
        digits = str(value).strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) in (6, 9, 12, 15)):
            raise ValidationError(str(_l("An area's code has 6, 9, 12 or 15 digits.")))
        return int(digits.ljust(15, "0"))


def _number(description: str = "", *, top: int = SMALLINT) -> fields.Integer:
    return fields.Integer(
        load_default=None, validate=validate.Range(0, top), metadata={"description": description} if description else {}
    )


def _one_of(*choices: str, default: str = "", description: str = "") -> fields.String:
    return fields.String(load_default=default, validate=validate.OneOf(choices), metadata={"description": description})


class HouseholdConditions(Schema):
    """What a list of households is narrowed to."""

    area = AreaCode(load_default=0, metadata={"description": "6, 9, 12 or 15 digits: the area and all below it"})
    q = fields.String(
        load_default="",
        validate=validate.Length(max=60),
        metadata={"description": "Part of a member's name, pinyin or initials; start of the household's code; or a "
                  "full citizen number for those who may edit or reveal"},
    )  # fmt: skip
    mark = fields.List(
        fields.String(), load_default=list, metadata={"description": "Key of a mark a member has; repeat for several"}
    )
    state = _one_of(*HOUSEHOLD_STATES, "all", default="active")
    away = _one_of("", "yes", "no", description="Whether any member is away")
    has_head = _one_of("", "yes", "no", description="Whether a member is the head; no: of those that have members")
    min_persons = _number()
    max_persons = _number()
    income_year = _number("Year the income bounds are about; the latest recorded one when missing")
    income_min = _number("Whole yuan", top=BIGINT)
    income_max = _number("Whole yuan", top=BIGINT)
    award = fields.String(load_default="", metadata={"description": "Key of a kind of award"})
    award_year = _number("Any year when missing")
    awarded = _one_of("yes", "no", "none", default="yes", description="none: nothing is recorded")
    batch = _number("Id of the import that made or last changed it", top=BIGINT)


class PersonConditions(Schema):
    """What a list of persons is narrowed to."""

    area = AreaCode(load_default=0, metadata={"description": "6, 9, 12 or 15 digits: the area and all below it"})
    q = fields.String(
        load_default="",
        validate=validate.Length(max=60),
        metadata={"description": "Part of the name, pinyin or initials; or a full citizen number for those who may"},
    )
    mark = fields.List(
        fields.String(), load_default=list, metadata={"description": "Key of a mark; repeat for several"}
    )
    state = _one_of(*PERSON_STATES, "all", default="active")
    away = _one_of("", "yes", "no")
    sex = _one_of("", "0", "1", "2", "9", description="GB/T 2261.1")
    nationality = fields.String(load_default="", metadata={"description": "GB/T 3304, two digits"})
    relation = fields.String(load_default="", metadata={"description": "GB/T 4761, two digits"})
    min_age = _number("Full years", top=150)
    max_age = _number("Full years", top=150)
    household = _number("Id of the household", top=BIGINT)
    care = _one_of("", *LIVING, *CARED, description="Old people by company and phone; children by carer and consent")
    batch = _number("Id of the import that made or last changed the person", top=BIGINT)


class HouseholdListArgs(HouseholdConditions, ListArgs):
    """Conditions, order and fields of the list. A county's own fields: ``custom.<key>=value`` (of a text its
    beginning), ``custom.<key>.is``, ``.has``, ``.from``, ``.to`` by the field's type, and ``.filled=yes|no``."""

    def takes(self, name: str) -> bool:
        """A county's own field; whether there is one of this name is seen when the condition is built."""
        return name.startswith(CUSTOM)

    sort = fields.String(
        load_default="name",
        validate=_Sorts(HOUSEHOLD_SORTS),
        metadata={
            "description": "name (pinyin of the head), code, size, updated or `custom.<key>`; `-` before it for"
            " descending"
        },
    )
    fields_ = fields.String(
        data_key="fields",
        load_default=None,
        metadata={
            "description": "Comma-separated fields; when missing, those from id to updated_at. `custom`: all own"
            " fields, `custom.<key>`: one of them"
        },
    )


class PersonListArgs(PersonConditions, ListArgs):
    """Conditions, order and fields of the list. A county's own fields: ``custom.<key>=value`` (of a text its
    beginning), ``custom.<key>.is``, ``.has``, ``.from``, ``.to`` by the field's type, and ``.filled=yes|no``."""

    def takes(self, name: str) -> bool:
        """A county's own field; whether there is one of this name is seen when the condition is built."""
        return name.startswith(CUSTOM)

    sort = fields.String(
        load_default="household",
        validate=_Sorts(PERSON_SORTS),
        metadata={
            "description": "household, name (pinyin), birth_date, updated or `custom.<key>`; `-` before it for"
            " descending"
        },
    )
    fields_ = fields.String(
        data_key="fields",
        load_default=None,
        metadata={
            "description": "Comma-separated fields; when missing, those from id to updated_at. `custom`: all own"
            " fields, `custom.<key>`: one of them"
        },
    )


class HouseholdSchema(Schema):
    """A household in a list, in the order of its fields."""

    id = fields.Integer()
    code = fields.String(metadata={"description": "12-digit village code and number in the village"})
    area_code = fields.Integer(metadata={"description": "15 digits"})
    head_name = fields.String()
    person_count = fields.Integer(metadata={"description": "Present members"})
    address = fields.String()
    state = fields.String(validate=validate.OneOf(HOUSEHOLD_STATES))
    version = fields.Integer()
    updated_at = fields.DateTime()
    marks = fields.List(
        fields.String(), metadata={"description": "Keys that follow from members; sensitive ones only with the right"}
    )
    area_name = fields.String(metadata={"description": "Village and group"})
    away_count = fields.Integer()
    registered_count = fields.Integer(metadata={"description": "Members by the household register"})
    living_count = fields.Integer(metadata={"description": "Members who live here"})
    income = fields.Integer(allow_none=True, metadata={"description": "Latest recorded, whole yuan"})
    income_year = fields.Integer(allow_none=True)
    note = fields.String()
    location = fields.String(
        metadata={"description": "Longitude,latitude in degrees of WGS 84 or CGCS2000: 108.430000,32.860000; or empty"}
    )
    batch_id = fields.Integer(allow_none=True)
    created_at = fields.DateTime()
    left_on = fields.Date(allow_none=True, metadata={"description": "Day of the closing; null on the register"})
    left_reason = fields.String()
    has_head = fields.Boolean(
        metadata={"description": "Whether a member is the head; if not, `head_name` is who stands for the household"}
    )
    custom = fields.Dict(metadata={"description": "Values of the county's own fields by key"})


class PersonSchema(Schema):
    """A person in a list, in the order of its fields."""

    id = fields.Integer()
    household_id = fields.Integer()
    name = fields.String()
    sex = fields.Integer(metadata={"description": "GB/T 2261.1"})
    birth_date = fields.Date(allow_none=True)
    relation = fields.String(metadata={"description": "To the head, GB/T 4761; 02 is the head"})
    nationality = fields.String(metadata={"description": "GB/T 3304"})
    away = fields.Boolean()
    state = fields.String(validate=validate.OneOf(PERSON_STATES))
    area_code = fields.Integer()
    version = fields.Integer()
    updated_at = fields.DateTime()
    id_number = fields.String(metadata={"description": "Masked"})
    phone = fields.String(metadata={"description": "Masked"})
    marks = fields.List(fields.String(), metadata={"description": "Sensitive ones only with the right"})
    area_name = fields.String()
    household_code = fields.String()
    head_name = fields.String()
    address = fields.String()
    note = fields.String()
    left_on = fields.Date(allow_none=True, metadata={"description": "Day of moving away or of death; else null"})
    left_reason = fields.String()
    custom = fields.Dict(metadata={"description": "Values of the county's own fields by key"})


class MarkSchema(Schema):
    """A mark on a person; ended ones have ``valid_to``."""

    id = fields.Integer()
    person_id = fields.Integer()
    mark = fields.String(metadata={"description": "Key of the kind"})
    name = fields.String()
    sensitive = fields.Boolean()
    source = fields.String()
    valid_from = fields.Date(allow_none=True)
    valid_to = fields.Date(allow_none=True)
    note = fields.String()


class IncomeSchema(Schema):
    year = fields.Integer()
    amount = fields.Integer(metadata={"description": "Whole yuan"})
    source = fields.String()
    version = fields.Integer()


class AwardSchema(Schema):
    award = fields.String(metadata={"description": "Key of the kind"})
    year = fields.Integer()
    awarded = fields.Boolean(metadata={"description": "false: judged and not awarded; unrecorded years are missing"})
    source = fields.String()
    version = fields.Integer()


class PersonRecordSchema(PersonSchema):
    """A person with the marks and own fields."""

    class Meta:
        exclude = ("marks",)

    mark_records = fields.List(fields.Nested(MarkSchema))


class HouseholdRecordSchema(HouseholdSchema):
    """A household with everything that hangs on it."""

    persons = fields.List(fields.Nested(PersonRecordSchema))
    incomes = fields.List(fields.Nested(IncomeSchema))
    awards = fields.List(fields.Nested(AwardSchema))


class HouseholdListSchema(Schema):
    items = fields.List(fields.Nested(HouseholdSchema))
    next = fields.String(allow_none=True)


class PersonListSchema(Schema):
    items = fields.List(fields.Nested(PersonSchema))
    next = fields.String(allow_none=True)


class PersonRecordListSchema(Schema):
    items = fields.List(fields.Nested(PersonRecordSchema))
    next = fields.String(allow_none=True)


class MarkListSchema(Schema):
    items = fields.List(fields.Nested(MarkSchema))
    next = fields.String(allow_none=True)


class SearchArgs(Schema):
    q = fields.String(
        required=True,
        validate=validate.Length(min=1, max=60),
        metadata={
            "description": "Part of a name, pinyin or initials; two or more characters of an address or household"
            " code; the last four of a citizen number (only where the caller may look one up) or phone; a whole"
            " citizen number; the name or code of an area"
        },
    )
    kinds = fields.String(
        load_default="",
        validate=validate.Length(max=400),
        metadata={"description": "Only these, with commas: persons, households, areas, and keys of plugins' kinds"},
    )
    limit = fields.Integer(
        load_default=20, validate=validate.Range(1, 50), metadata={"description": "At most so many of each kind"}
    )


class FoundAreaSchema(Schema):
    code = fields.String(metadata={"description": "12 or 15 digits"})
    name = fields.String()
    path = fields.List(fields.String(), metadata={"description": "Names from the town down"})


class FoundHitSchema(Schema):
    title = fields.String()
    detail = fields.String()
    url = fields.String(metadata={"description": "Address of its page within the county"})


class FoundKindSchema(Schema):
    """What one kind of a plugin found."""

    kind = fields.String()
    label = fields.String()
    hits = fields.List(fields.Nested(FoundHitSchema))


class SearchSchema(Schema):
    """Best first: exact, beginning, part, then pinyin."""

    households = fields.List(fields.Nested(HouseholdSchema))
    persons = fields.List(fields.Nested(PersonSchema))
    areas = fields.List(fields.Nested(FoundAreaSchema))
    others = fields.List(fields.Nested(FoundKindSchema))
