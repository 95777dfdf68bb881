"""The classification "need of visits": whether a household asks so often that somebody should call at its home."""

from __future__ import annotations

from datetime import date, timedelta

from xiangyue.sdk.db import Uow
from xiangyue.sdk.hooks import Classifier, Clause, Input, Outcome, Proposals, RuleVersion, Step
from xiangyue.sdk.i18n import _l
from xiangyue.sdk.settings import plugin_settings
from xiangyue_errands import policy, words

_SQL = """
SELECT h.id AS household_id,
       CASE WHEN e.n >= :often THEN 'often' WHEN e.n > 0 THEN 'seldom' ELSE 'none' END AS outcome,
       CASE WHEN e.n >= :often THEN 'often' WHEN e.n > 0 THEN 'seldom' ELSE 'none' END AS clause,
       jsonb_build_object('errands', e.n, 'often', CAST(:often AS int)) AS inputs
  FROM household h
 CROSS JOIN LATERAL (SELECT count(*) AS n FROM plugin_errands.errand e
                      WHERE {tenant:e} AND e.household_id = h.id AND e.created_at >= CAST(:since AS date)) e
 WHERE {scope:h} AND h.state = 'active'
"""


def propose(uow: Uow, on: date) -> Proposals:
    often = plugin_settings(uow, "errands")["often"]
    return Proposals(_SQL, {"often": often, "since": on - timedelta(days=365)})


CLASSIFIER = Classifier(
    key=policy.CLASSIFIER,
    label=_l("Need of visits"),
    permission=policy.VIEW,
    outcomes=(
        Outcome("often", _l("Asks often"), "yellow"),
        Outcome("seldom", _l("Asks seldom"), "green"),
        Outcome("none", _l("No errand yet"), "grey", undetermined=True),
    ),
    inputs=(
        Input("errands", _l("Errands in twelve months"), "number"),
        Input("often", _l("Often from"), "number"),
    ),
    versions=(
        RuleVersion(
            "2025",
            date(2025, 1, 1),
            tuple(Clause(key, words.SOURCES[key], text) for key, text in words.CLAUSES.items()),
        ),
    ),
    steps=(Step("village", _l("Village review"), policy.EDIT),),
    propose=propose,
)
