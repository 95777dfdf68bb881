"""The API: blueprints, lists by cursor, and changes by version."""

from __future__ import annotations

from xiangyue.api.lists import ListArgs, chosen_fields, etag_of, list_response, required_version, set_etag
from xiangyue.api.setup import ApiBlueprint

__all__ = ["ApiBlueprint", "ListArgs", "chosen_fields", "etag_of", "list_response", "required_version", "set_etag"]
