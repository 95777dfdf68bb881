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

#: Kinds of files: households with their persons; changes of some columns.
ROSTER, UPDATE = "roster", "update"

CHECK_KIND = "imports.check"
REPAIR_KIND = "imports.repair"
COMMIT_KIND = "imports.commit"
UNDO_KIND = "imports.undo"
UNDO_LIST_KIND = "imports.undo_list"
CLEAR_KIND = "imports.clear"

#: The rows of the sheet are kept this long, the counts stay; how long the file is, the county says.
KEEP_ROWS_DAYS = 7
KEEP_UNWRITTEN_DAYS = 60

#: Rows that a repair may look at while its page waits; more go into a job.
REPAIR_AT_ONCE = 1500
#: What an import found where it changed something; as long can it be undone.
KEEP_CHANGES_DAYS = 365

#: A statement over a whole file of 200,000 rows takes its time on a busy machine; this long (seconds) at most.
STATEMENT_SECONDS = 600.0
