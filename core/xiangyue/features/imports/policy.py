"""Rights of the feature and who gets them by template; the names of its jobs."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

IMPORT_RUN = Permission("import.run", _l("Import spreadsheets"))

PERMISSIONS = (IMPORT_RUN,)

ROLE_TEMPLATES = {
    "county_admin": frozenset({IMPORT_RUN.name}),
    "town": frozenset({IMPORT_RUN.name}),
}

CHECK_KIND = "imports.check"
COMMIT_KIND = "imports.commit"
CLEAR_KIND = "imports.clear"

#: The uploaded file is kept this long, and the rows of the sheet; the counts stay.
KEEP_FILE_DAYS = 30
KEEP_ROWS_DAYS = 7
KEEP_UNWRITTEN_DAYS = 60
