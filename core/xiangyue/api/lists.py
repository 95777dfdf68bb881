"""Lists: keyset pages, field choice, limits; and conditional requests by version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import orjson
from flask import Response, request
from marshmallow import Schema, fields, missing, validate

from xiangyue.errors import Invalid, PreconditionFailed, PreconditionRequired
from xiangyue.i18n import lazy_gettext as _l

MAX_LIMIT = 200


class ListArgs(Schema):
    """Arguments every list takes."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "Rows per page, at most 200"},
    )
    cursor = fields.String(load_default=None, metadata={"description": "`next` of the page before"})
    sort = fields.String(load_default=None, metadata={"description": "A field; `-field` for descending"})
    fields_ = fields.String(
        data_key="fields",
        load_default=None,
        metadata={"description": "Comma-separated fields to return; all when missing"},
    )

    def load(self, data: Any, **options: Any) -> Any:
        """Looks only at what was given and takes the rest from the fields' defaults: lists have many conditions, and
        most requests give one or two."""
        if "partial" in options or self._needs_all:
            return super().load(data, **options)
        given = super().load(data, partial=True, **options)
        for key, default in self._defaults:
            if key not in given:
                given[key] = default() if callable(default) else default
        return given

    @cached_property
    def _needs_all(self) -> bool:
        return any(field.required for field in self.load_fields.values())

    @cached_property
    def _defaults(self) -> list[tuple[str, Any]]:
        """Keys of what is loaded, with their fields' defaults."""
        fields = self.load_fields.items()
        return [(f.attribute or name, f.load_default) for name, f in fields if f.load_default is not missing]


def chosen_fields(text: str | None, known: Sequence[str]) -> list[str]:
    """The fields asked for, in the order of the schema. Raises Invalid naming the unknown ones."""
    if not text:
        return list(known)
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise Invalid(
            {
                "fields": [
                    _l(
                        "Unknown: %(unknown)s. Known: %(known)s.",
                        unknown=", ".join(unknown),
                        known=", ".join(known),
                    )
                ]
            }
        )
    return [name for name in known if name in wanted]


def list_response(items: Iterable[Any], next_cursor: str | None) -> Response:
    """``{"items": [...], "next": cursor or null}``."""
    return Response(orjson.dumps({"items": list(items), "next": next_cursor}, default=str), mimetype="application/json")


class AnyVersion(int):
    """``If-Match: *``: whatever version stands, as long as something does (0 is a record yet to be made)."""

    def __eq__(self, other: object) -> bool:
        return other != 0

    def __ne__(self, other: object) -> bool:
        return other == 0

    __hash__ = int.__hash__


def set_etag(response: Response, version: int) -> Response:
    """Give an answer with one thing its ETag, or make it a 304 when If-None-Match has it already.

    The tag is the version and a hash of the body: what hangs on a thing (members of a household) and is shown with it
    changes without the thing's own version, which is all that If-Match compares.
    """
    digest = hashlib.blake2b(response.get_data(), digest_size=6).hexdigest()
    response.set_etag(f"{version}-{digest}")
    if request.method == "GET" and response.status_code == 200:
        response.make_conditional(request)
    return response


V = TypeVar("V", bound=Callable[..., Any])


def takes_version(view: V) -> V:
    """Mark a view that asks for ``required_version``: the document then says so (a gate keeps the two together)."""
    view.__dict__["takes_version"] = "required"
    return view


def may_take_version(view: V) -> V:
    """The same for one that does without If-Match too."""
    view.__dict__["takes_version"] = "optional"
    return view


def required_version() -> int:
    """The version in If-Match, AnyVersion for ``*``. Raises PreconditionRequired without the header, PreconditionFailed
    when it names no version."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired(_l("Send the ETag of what you read as If-Match, so that no change is lost."))
    if given == "*":
        return AnyVersion()
    try:
        return int(given.removeprefix("W/").strip('"').partition("-")[0])
    except ValueError:
        raise PreconditionFailed(_l("If-Match is not an ETag of this resource.")) from None
