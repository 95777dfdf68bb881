"""Answers that are files."""

from __future__ import annotations

from flask import Response

from xiangyue.files.names import content_disposition
from xiangyue.files.workbook import Written


def send_written(written: Written, name: str) -> Response:
    """A finished list to take along, called ``name`` and its extension."""
    response = Response(written.pieces(), content_type=written.media_type)
    response.call_on_close(written.stream.close)  # also when nobody reads it
    response.content_length = written.size
    response.headers["Content-Disposition"] = content_disposition(f"{name}.{written.extension}")
    return response
