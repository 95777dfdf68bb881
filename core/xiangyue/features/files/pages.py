"""Fetching a stored file."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, send_file

from xiangyue.files.names import content_disposition
from xiangyue.files.service import open_file
from xiangyue.web.access import signed_in
from xiangyue.web.pipeline import current_offer, current_uow, runtime

bp = Blueprint("files", __name__)


@bp.get("/files/<uuid:token>")
@signed_in
def fetch(token: uuid.UUID) -> Any:
    """The bytes, always as a download: an uploaded page must not run under our address."""
    file, stream = open_file(current_uow(), runtime().storage, current_offer().permissions, token=token)
    response = send_file(stream, mimetype=file.media_type, etag=file.sha256, max_age=0)
    response.headers["Content-Disposition"] = content_disposition(file.name)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
