"""Domain errors, and the one table that maps each to an HTTP status.

Raise these from services and queries; the web pages and the API turn them into an error page or a problem
document (RFC 9457). Messages are lazy translations: they say what happened, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class XiangyueError(Exception):
    """Base of all errors that a user may see. ``message`` is text in the user's language (maybe lazy)."""

    code = "error"
    #: Names of details that the API tells.
    told: tuple[str, ...] = ()

    def __init__(self, message: Any = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return str(self.message) or self.code


class Invalid(XiangyueError):
    """Input that cannot be taken. ``fields`` maps a field path to its messages; "" is the form as a whole."""

    code = "invalid"

    def __init__(self, fields: Mapping[str, Sequence[Any]], message: Any = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.fields = {key: list(value) for key, value in fields.items()}

    def __str__(self) -> str:
        listed = "; ".join(f"{k or '-'}: {', '.join(str(m) for m in v)}" for k, v in self.fields.items())
        return str(self.message) or listed


class PurposeNeeded(Invalid):
    """Sensitive facts were asked for without saying what for. Pages ask for it and go on; the API says how."""

    code = "purpose_needed"


class NotSignedIn(XiangyueError):
    """No valid session or token."""

    code = "not_signed_in"


class Forbidden(XiangyueError):
    """The actor sees the thing (or would) but may not do this."""

    code = "forbidden"


class Suspended(Forbidden):
    """The whole county is suspended. ``reason`` is the operator's own words."""

    code = "suspended"

    def __init__(self, message: Any = "", *, reason: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.reason = reason


class NotFound(XiangyueError):
    """No such thing for this actor: also what another tenant's id or one outside the area gets."""

    code = "not_found"


class Stale(XiangyueError):
    """Lost update: somebody saved in between. ``theirs`` holds the values that now stand, by field."""

    code = "stale"

    def __init__(self, message: Any = "", *, theirs: Mapping[str, Any] | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.theirs = dict(theirs or {})


class PreconditionFailed(Stale):
    """The same through HTTP's If-Match."""

    code = "precondition_failed"


class PreconditionRequired(XiangyueError):
    """A change through the API came without If-Match."""

    code = "precondition_required"


class Conflict(XiangyueError):
    """The act does not fit the thing's state (already used, already running, duplicate key)."""

    code = "conflict"


class AlreadyUsed(Conflict):
    """A client's UUID has made something else already. ``household_id`` or ``person_id`` in ``details`` say what."""

    code = "already_used"


class Refused(XiangyueError):
    """A plugin does not allow the act: raised by its ``*_requested`` hooks, with the reason as message.

    On the way to the person it gets the plugin's ``label``.
    """

    code = "refused"

    def __init__(self, message: Any = "", *, plugin: str = "", label: Any = "", reason: Any = "", **more: Any) -> None:
        super().__init__(message, **more)
        self.plugin = plugin
        self.label = label
        self.reason = reason or message


class TooMany(XiangyueError):
    """Rate limit or lock-out. ``retry_after`` in seconds."""

    code = "too_many"

    def __init__(self, message: Any = "", *, retry_after: int = 60, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class TooLarge(XiangyueError):
    """Upload over the limit."""

    code = "too_large"


class Unavailable(XiangyueError):
    """A part we need (database, queue) is away; the request can be repeated as it was."""

    code = "unavailable"


class Stopped(Unavailable):
    """A plugin's page or API took too long and was stopped; for a while it is not asked again."""

    code = "stopped"

    def __init__(self, message: Any = "", *, plugin: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.plugin = plugin


HTTP_STATUS: dict[type[XiangyueError], int] = {
    Invalid: 422,
    NotSignedIn: 401,
    Forbidden: 403,
    NotFound: 404,
    PreconditionFailed: 412,
    PreconditionRequired: 428,
    Stale: 409,
    Conflict: 409,
    Refused: 409,
    TooMany: 429,
    TooLarge: 413,
    Unavailable: 503,
    XiangyueError: 500,
}


def http_status(error: XiangyueError) -> int:
    """The status of an error: that of its nearest class in the table."""
    return next(HTTP_STATUS[cls] for cls in type(error).__mro__ if cls in HTTP_STATUS)
