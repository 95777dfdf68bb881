"""What the API says of jobs."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from xiangyue.api.lists import ListArgs


class JobSchema(Schema):
    """A background job."""

    id = fields.Integer()
    kind = fields.String(metadata={"description": "Key of the kind of work, such as `imports.commit`"})
    label = fields.String(metadata={"description": "The same in words"})
    state = fields.String(validate=validate.OneOf(["queued", "running", "succeeded", "failed", "cancelled"]))
    cancel_requested = fields.Boolean()
    step = fields.String(metadata={"description": "What it does now"})
    done = fields.Integer()
    total = fields.Integer(metadata={"description": "`done` of `total` units; 0 while unknown"})
    attempts = fields.Integer()
    error = fields.String()
    result = fields.Dict(allow_none=True)
    result_url = fields.String(allow_none=True)
    created_by_name = fields.String()
    created_at = fields.AwareDateTime()
    started_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)


class JobListSchema(Schema):
    """A page of jobs, newest first."""

    items = fields.List(fields.Nested(JobSchema))
    next = fields.String(allow_none=True)


class JobListArgs(ListArgs):
    """Conditions of a list of jobs."""

    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", "open", "queued", "running", "succeeded", "failed", "cancelled"]),
    )
    kind = fields.String(load_default="")
    mine = fields.Boolean(load_default=False)
