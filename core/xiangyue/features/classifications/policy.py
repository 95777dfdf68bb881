"""Rights of the feature and who gets them by template; states of a classification.

Three rights meet: ``classification.view`` opens these pages, the classifier's own permission shows its outcomes, and
each step's own permission lets one confirm there. An outcome is **never public**: no route here is marked ``public``,
and a ground with a permission of its own is shown only to those who have it where the household lies.
"""

from __future__ import annotations

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l

CLASSIFICATION_VIEW = Permission("classification.view", _l("See classifications of households"))
CLASSIFICATION_COMPUTE = Permission("classification.compute", _l("Compute classifications anew"))
CLASSIFICATION_EXPORT = Permission("classification.export", _l("Export classifications"))

PERMISSIONS = (CLASSIFICATION_VIEW, CLASSIFICATION_COMPUTE, CLASSIFICATION_EXPORT)

ROLE_TEMPLATES = {
    "county_admin": frozenset({CLASSIFICATION_VIEW.name, CLASSIFICATION_COMPUTE.name, CLASSIFICATION_EXPORT.name}),
    "department": frozenset({CLASSIFICATION_VIEW.name}),
    "town": frozenset({CLASSIFICATION_VIEW.name, CLASSIFICATION_COMPUTE.name, CLASSIFICATION_EXPORT.name}),
    "village": frozenset({CLASSIFICATION_VIEW.name}),
    "grid_leader": frozenset({CLASSIFICATION_VIEW.name}),
}

#: What entries of the audit trail say to people.
ACTIONS = {
    "classification.compute": _l("Classifications computed"),
    "classification.confirm": _l("Classification confirmed"),
    "classification.otherwise": _l("Classification decided otherwise"),
    "classification.confirm_many": _l("Classifications confirmed together"),
    "classification.reopen": _l("Classification opened again"),
    "classification.review": _l("Classifications due for review"),
    "classification.read": _l("Sensitive grounds of a classification shown"),
    "classification.export": _l("Classifications exported"),
}

COMPUTE_KIND = "classification.compute"
REVIEW_KIND = "classification.review"
EXPORT_KIND = "classification.export"

#: proposed: nothing is in force yet. in_force: decided, and the rule has nothing new to say. differs: decided, but the
#: rule now proposes something else. due: its review is due. reopened: somebody wants it decided again. lapsed: the
#: household has left. In proposed, differs, due and reopened a step is owed.
STATES = {
    "proposed": _l("Proposed"),
    "in_force": _l("In force"),
    "differs": _l("Proposal differs"),
    "due": _l("Due for review"),
    "reopened": _l("Opened again"),
    "lapsed": _l("Lapsed"),
}
OPEN_STATES = ("proposed", "differs", "due", "reopened")

#: What happened, in the history.
EVENTS = {
    "confirmed": _l("Confirmed"),
    "otherwise": _l("Decided otherwise"),
    "reopened": _l("Opened again"),
    "returned": _l("Sent back"),
    "differs": _l("The rule proposes something else"),
    "reset": _l("The proposal changed, the steps begin anew"),
    "due": _l("Due for review"),
    "lapsed": _l("Lapsed"),
}

NOTE_LENGTH = 500
#: A lot is confirmed in one go up to this many.
MOST_AT_ONCE = 1000
