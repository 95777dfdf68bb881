"""What the API takes and gives for plugins."""

from __future__ import annotations

from marshmallow import Schema, fields


class PluginSchema(Schema):
    """A plugin in the county. ``row_version`` goes into If-Match."""

    name = fields.String()
    label = fields.String()
    summary = fields.String()
    version = fields.String(metadata={"description": "Of the installed distribution; empty when there is none"})
    enabled = fields.Boolean()
    state = fields.String(
        metadata={
            "enum": ["works", "off", "failed", "waits", "gone"],
            "description": "failed: on, but left out; waits: needs another plugin; gone: not installed any more",
        }
    )
    can_be_on = fields.Boolean()
    reason = fields.String(metadata={"description": "Why it does not work or cannot be switched on"})
    needs = fields.List(fields.String(), metadata={"description": "Plugins it requires that do not work here"})
    needed_by = fields.List(fields.String(), metadata={"description": "Plugins that are on and require it"})
    faults = fields.Integer(metadata={"description": "How often something went wrong in it in the last 7 days"})
    row_version = fields.Integer(metadata={"description": "Goes into If-Match"})


class PluginListSchema(Schema):
    items = fields.List(fields.Nested(PluginSchema))
    next = fields.String(allow_none=True)


class BroughtSchema(Schema):
    kind = fields.String()
    label = fields.String()
    things = fields.List(fields.String())


class PluginRightSchema(Schema):
    name = fields.String()
    label = fields.String()
    sensitive = fields.Boolean()
    roles = fields.List(fields.String(), metadata={"description": "Keys of the roles that have it"})


class PluginFaultSchema(Schema):
    hook = fields.String()
    error = fields.String()
    count = fields.Integer()
    first_at = fields.DateTime()
    last_at = fields.DateTime()


class PluginDetailSchema(PluginSchema):
    settings = fields.Dict(allow_none=True, metadata={"description": "Null for a plugin without settings"})
    settings_schema = fields.Dict(allow_none=True, metadata={"description": "JSON Schema of the settings"})
    brings = fields.List(fields.Nested(BroughtSchema))
    rights = fields.List(fields.Nested(PluginRightSchema))
    last_faults = fields.List(fields.Nested(PluginFaultSchema))


class PluginChangeSchema(Schema):
    """What is left out stays as it is, also within ``settings``."""

    enabled = fields.Boolean()
    settings = fields.Dict(keys=fields.String(), metadata={"description": "Judged by settings_schema"})


class PluginPurgeSchema(Schema):
    confirm = fields.String(required=True, metadata={"description": "The plugin's name, typed out"})


class PluginPurgedSchema(Schema):
    deleted = fields.Dict(keys=fields.String(), values=fields.Integer(), metadata={"description": "Rows by table"})
