"""Reading and computing classifications: what households count as, for panels, lists and figures of a plugin's own.

What readers may see of an outcome is settled in the rows: take their words as they are (``row.standing``).
"""

from __future__ import annotations

from xiangyue.features.classifications.list_query import STANDING
from xiangyue.features.classifications.list_query import Row as ClassificationRow
from xiangyue.features.classifications.points import OutcomeText
from xiangyue.features.classifications.policy import COMPUTE_KIND, OPEN_STATES
from xiangyue.features.classifications.queries import last_computed
from xiangyue.features.classifications.queries import standing as classifications_of
from xiangyue.features.classifications.service_compute import compute_household

__all__ = [
    "COMPUTE_KIND",
    "OPEN_STATES",
    "STANDING",
    "ClassificationRow",
    "OutcomeText",
    "classifications_of",
    "compute_household",
    "last_computed",
]
