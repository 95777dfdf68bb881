"""Rights of the feature and who gets them by template."""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

IMPORT_RUN = Permission("import.run", _l("Import spreadsheets"))

PERMISSIONS = (IMPORT_RUN,)

ROLE_TEMPLATES = {
    "county_admin": frozenset({IMPORT_RUN.name}),
    "town": frozenset({IMPORT_RUN.name}),
}
