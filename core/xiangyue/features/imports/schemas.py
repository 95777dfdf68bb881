"""Contracts of the imports API."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from xiangyue.access.lawful import BASES, USUAL
from xiangyue.api.files import FileField
from xiangyue.api.lists import ListArgs
from xiangyue.features.imports.policy import ROSTER
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.tenancy.field_owners import DEPARTMENTS

STATES = ("uploaded", "checking", "mapping", "checked", "committing", "committed", "failed", "cancelled")


class ImportSchema(Schema):
    """An import."""

    id = fields.Integer()
    kind = fields.String(
        metadata={
            "description": "`roster`: households with persons; `update`: changes of columns (a cell `clear` empties a "
            "value); else the key of a register"
        }
    )
    state = fields.String(validate=validate.OneOf(STATES))
    file_name = fields.String()
    source = fields.String(metadata={"description": "Where the data comes from"})
    purpose = fields.String(metadata={"description": "What it is used for"})
    lawful_basis = fields.String(
        metadata={
            "description": "On what ground it is taken in (PIPL article 13); empty for imports before it was asked"
        }
    )
    department = fields.String(metadata={"description": "For which department it speaks; empty for none"})
    notice_version_id = fields.Integer(
        allow_none=True, metadata={"description": "Version of the notice by which the persons were told or consented"}
    )
    file_expires_at = fields.DateTime(allow_none=True, metadata={"description": "When the uploaded file is deleted"})
    counts = fields.Dict(
        metadata={
            "description": "After the check: rows, persons, households, errors, error_rows, valid_households, and "
            "what a writing would do: households_new, households_changed, …, samples (of new ones `before` is null, "
            "and long numbers are masked); afterwards what was done, in `written`, and what an undo did in `undone`. "
            "Of another register: rows, errors, error_rows, valid_rows, records_new, records_changed, "
            "records_unchanged, samples"
        }
    )
    problem = fields.String(allow_none=True, metadata={"description": "Why the file could not be read"})
    header_problems = fields.List(fields.String(), metadata={"description": "What is wrong with the header row"})
    job_id = fields.Integer(allow_none=True, metadata={"description": "The job at work; see /jobs"})
    created_by_name = fields.String()
    created_at = fields.DateTime()
    checked_at = fields.DateTime(allow_none=True)
    committed_at = fields.DateTime(allow_none=True)
    undone_at = fields.DateTime(allow_none=True)
    version = fields.Integer()


class FileColumnSchema(Schema):
    """A column of the uploaded file and where it goes."""

    position = fields.Integer(metadata={"description": "From 0; of a second sheet from 100000, and so on"})
    sheet = fields.String(metadata={"description": "Name of its sheet"})
    cell = fields.String(metadata={"description": "Cell of its heading"})
    heading = fields.String()
    samples = fields.List(fields.String(), metadata={"description": "Up to three values, long numbers masked"})
    target = fields.String(metadata={"description": "Key of the roster's column; empty for one left out"})
    how = fields.String(
        metadata={"description": "How the target was found: known, chosen, likely, values, or empty for none"}
    )


class RosterTargetSchema(Schema):
    """A column of the roster."""

    key = fields.String()
    label = fields.String()
    required = fields.Boolean()


class FileSheetSchema(Schema):
    """A sheet with the header of a roster."""

    name = fields.String()
    read = fields.Boolean()
    members = fields.Integer(
        allow_none=True,
        metadata={
            "description": "Where a row is a household: members in columns of their own. Null: a row is a person"
        },
    )


class ImportColumnsSchema(Schema):
    """How the columns of a file match those of the roster."""

    items = fields.List(fields.Nested(FileColumnSchema))
    targets = fields.List(fields.Nested(RosterTargetSchema))
    missing = fields.List(fields.String(), metadata={"description": "Keys of required columns that nothing goes to"})
    sheets = fields.List(fields.Nested(FileSheetSchema))


class ImportColumnsChangeSchema(Schema):
    """Where the columns go."""

    targets = fields.Dict(
        keys=fields.Integer(strict=False),
        values=fields.String(),
        required=True,
        metadata={"description": "Position of the file's column -> key of the roster's; left out: not read"},
    )
    sheets = fields.List(
        fields.String(),
        load_default=None,
        allow_none=True,
        metadata={"description": "Names of the sheets to read; left out: as it stands"},
    )


class ImportListArgs(ListArgs):
    """Arguments of the list."""

    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))
    kind = fields.String(load_default="", metadata={"description": "What is in the file, see /imports/kinds"})
    q = fields.String(load_default="", metadata={"description": "Part of the file's name, the source or a name"})


class ImportKindColumnSchema(Schema):
    """A column that a file of the kind may have."""

    key = fields.String()
    label = fields.String()
    kind = fields.String(metadata={"description": "text, integer, date, choice …"})
    required = fields.Boolean()
    headings = fields.List(fields.String(), metadata={"description": "Headings that are known beside the label"})
    choices = fields.List(fields.String(), metadata={"description": "What may stand in it; empty: anything"})


class ImportKindSchema(Schema):
    """What may be imported."""

    key = fields.String()
    label = fields.String()
    columns = fields.List(fields.Nested(ImportKindColumnSchema))


class ImportKindsSchema(Schema):
    """All that you may import."""

    items = fields.List(fields.Nested(ImportKindSchema))


class ImportPageSchema(Schema):
    """One page of imports, newest first."""

    items = fields.List(fields.Nested(ImportSchema))
    next = fields.String(allow_none=True)


class ColumnsField(fields.Field[dict[str, str]]):
    """A JSON object of texts, as a part of a form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> dict[str, str]:
        try:
            made = json.loads(value)
        except (TypeError, ValueError):
            made = None
        if not isinstance(made, dict) or not all(isinstance(key, str) for key in made.values()):
            raise ValidationError([_l("Send a JSON object of texts here.")])
        return made


class ImportUploadSchema(Schema):
    """A roster and what goes with it."""

    file = FileField(
        required=True,
        metadata={
            "type": "string",
            "format": "binary",
            "description": ".xlsx, .xls, .ods, or .csv and .txt with commas, semicolons or tabs (UTF-8 or GB18030)",
        },
    )
    source = fields.String(load_default="", metadata={"description": "Where the data comes from"})
    purpose = fields.String(
        required=True, validate=validate.Length(min=1), metadata={"description": "What the data is used for"}
    )
    lawful_basis = fields.String(
        load_default=USUAL,
        validate=validate.OneOf(list(BASES)),
        metadata={"description": "On what ground it is taken in: an item of PIPL article 13"},
    )
    department = fields.String(
        load_default="",
        validate=validate.OneOf(["", *DEPARTMENTS]),
        metadata={
            "description": "For which department it speaks: of the fields for which that answers, it overwrites what "
            "others set, and later imports of others do not overwrite it"
        },
    )
    notice_version_id = fields.Integer(
        load_default=None,
        allow_none=True,
        metadata={"description": "Published version of a notice or form of consent by which they were told or asked"},
    )
    columns = ColumnsField(
        load_default=None,
        metadata={
            "type": "string",
            "description": "Where columns of the file go that are not known by their heading, as JSON: heading, or "
            "position from 0, -> key of the roster's column (see /imports/{id}/columns), empty for one to be left out",
            "example": '{"Dwelling of": "village", "7": ""}',
        },
    )
    kind = fields.String(
        load_default=ROSTER,
        metadata={
            "description": "One of /imports/kinds. `roster`: households with their persons; `update`: some columns of "
            "records that stand already, found by `id_number`, or `household_no` with town and village; empty cells "
            "change nothing"
        },
    )


class ImportErrorSchema(Schema):
    """A wrong cell. Identifiers in ``value`` are masked."""

    row = fields.Integer(metadata={"description": "The sheet's own row number"})
    place = fields.String(
        metadata={
            "description": "The row as people read it: `5`; `Sheet2!5` of several sheets; `5(2)` its second member"
        }
    )
    column = fields.String(metadata={"description": "Key of the column"})
    column_label = fields.String()
    code = fields.String()
    value = fields.String()
    problem = fields.String(metadata={"description": "What is wrong and how to mend it"})
    suggestion = fields.String()


class ImportErrorArgs(ListArgs):
    """Arguments of the list of errors; they stand in the order of the sheet."""

    code = fields.String(load_default="")
    column = fields.String(load_default="")


class ImportErrorPageSchema(Schema):
    """One page of errors."""

    items = fields.List(fields.Nested(ImportErrorSchema))
    next = fields.String(allow_none=True)


class ImportCommitSchema(Schema):
    """What to write."""

    valid_only = fields.Boolean(
        load_default=False, metadata={"description": "Write the households without errors, leave the others out"}
    )
