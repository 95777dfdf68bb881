"""Contracts of the API for mending the rows of an import."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs
from xiangyue.features.imports.queries_rows import WHICH
from xiangyue.features.imports.schemas import ImportErrorSchema

KINDS = ("cell", "alike", "out", "back")
STATES = ("waiting", "done", "undoing", "undone")


class ImportRowSchema(Schema):
    """A row of the file as it stands now."""

    number = fields.Integer(metadata={"description": "What a repair names; in a file of one sheet the row's own"})
    row = fields.Integer(metadata={"description": "The sheet's own row number"})
    place = fields.String(metadata={"description": "The row as people read it, with its sheet where there are several"})
    household = fields.Integer(metadata={"description": "Number of the first row of its household"})
    cells = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Key of the column -> text; citizen numbers and phones are masked"},
    )
    errors = fields.List(fields.Nested(ImportErrorSchema))
    left_out = fields.Boolean()
    mended = fields.List(fields.String(), metadata={"description": "Columns that were mended"})


class ImportRowArgs(ListArgs):
    """Arguments of the list of rows; they stand in the order of the sheet."""

    which = fields.String(load_default="wrong", validate=validate.OneOf(WHICH))
    code = fields.String(load_default="", metadata={"description": "Only rows with an error of this kind"})
    column = fields.String(load_default="", metadata={"description": "Only rows with an error in this column"})


class ImportRowPageSchema(Schema):
    """One page of rows."""

    items = fields.List(fields.Nested(ImportRowSchema))
    next = fields.String(allow_none=True)


class ImportMistakeSchema(Schema):
    """Cells that are wrong in the same way; what a repair of kind `alike` names."""

    column = fields.String()
    code = fields.String()
    wrong = fields.String(metadata={"description": "What stands there, or the word of the cell that is wrong"})
    town = fields.String(metadata={"description": "Of a village: the town that its rows name"})
    word = fields.Boolean(metadata={"description": "Whether `wrong` is a word of a cell with several"})
    rows = fields.Integer(metadata={"description": "In how many rows"})
    suggestions = fields.List(fields.String())


class ImportMistakesSchema(Schema):
    """The mistakes that most rows share, the most frequent first."""

    items = fields.List(fields.Nested(ImportMistakeSchema))


class ImportRepairSchema(Schema):
    """Something that was mended. Citizen numbers and phones are masked."""

    id = fields.Integer()
    kind = fields.String(validate=validate.OneOf((*KINDS, "workbook")))
    state = fields.String(
        validate=validate.OneOf(STATES),
        metadata={"description": "`waiting` and `undoing`: a job is at it; the import is in state `checking` then"},
    )
    row = fields.Integer(allow_none=True, metadata={"description": "Of a repair of one row: its `number`"})
    column = fields.String()
    before = fields.String()
    after = fields.String()
    rows = fields.Integer(metadata={"description": "How many rows it changed"})
    suggested = fields.Boolean(metadata={"description": "Whether the value was one that was suggested"})
    refused = fields.List(fields.String(), metadata={"description": "What of a returned workbook was not taken"})
    account_name = fields.String()
    created_at = fields.DateTime()
    undone_at = fields.DateTime(allow_none=True)
    undone_by_name = fields.String()


class ImportRepairArgs(ListArgs):
    """Arguments of the list of repairs."""


class ImportRepairPageSchema(Schema):
    """One page of repairs, the last first."""

    items = fields.List(fields.Nested(ImportRepairSchema))
    next = fields.String(allow_none=True)


class ImportRepairNewSchema(Schema):
    """What is to be mended. `cell`: row, column, value. `alike`: column, code, wrong, town, word and rows of a mistake,
    and value. `out`: row, to be left out as if the file did not have it. `back`: row, no longer left out."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    row = fields.Integer(load_default=0, metadata={"description": "The row's `number`, see /imports/{id}/rows"})
    column = fields.String(load_default="")
    value = fields.String(load_default="", metadata={"description": "Empty: the cell is emptied"})
    code = fields.String(load_default="")
    wrong = fields.String(load_default="")
    town = fields.String(load_default="")
    word = fields.Boolean(load_default=False)
    rows = fields.Integer(
        load_default=None,
        allow_none=True,
        metadata={"description": "In how many rows it was found; refused when it is another number by now"},
    )
    households = fields.Boolean(
        load_default=False, metadata={"description": "With `out`: the whole household of the row"}
    )
