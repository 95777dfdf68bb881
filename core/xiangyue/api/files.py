"""Files in the bodies of requests."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields
from werkzeug.datastructures import FileStorage

from xiangyue.i18n import lazy_gettext as _l


class FileField(fields.Field[FileStorage]):
    """An uploaded file, in a schema of location ``multipart``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise ValidationError([_l("Send a file here.")])
        return value
