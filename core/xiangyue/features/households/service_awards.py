"""Judgements of many households at once (年度评定): from rosters, and for demonstrations. Nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit
from xiangyue.db.sql import scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.households import bulk_changes
from xiangyue.features.households.bulk_changes import IMPORT_BATCH
from xiangyue.features.households.models import AwardKind
from xiangyue.features.households.person_input import today
from xiangyue.features.households.policy import HOUSEHOLD_EDIT
from xiangyue.features.households.service_records import FIRST_YEAR
from xiangyue.i18n import lazy_gettext as _l

_STAGE = {"household_id": "bigint", "year": "smallint", "awarded": "boolean"}
#: What stood before is in the trail of each household; of what is new one entry tells for all.
_NOTE_CHANGES = """
INSERT INTO audit_entry (tenant_id, actor_kind, account_id, actor_name, action, object_type, object_id, object_label,
                         area_code, before, after, purpose, ip, request_id)
SELECT h.tenant_id, :actor_kind, CAST(:account AS bigint), :actor_name, 'household.award', 'household', h.id,
       h.head_name, h.area_code,
       jsonb_build_object('award', a.award_key, 'year', a.year, 'awarded', a.awarded, 'source', a.source),
       jsonb_build_object('award', a.award_key, 'year', a.year, 'awarded', s.awarded, 'source', CAST(:source AS text)),
       '', :ip, :request
  FROM stage_award s
  JOIN household h ON h.id = s.household_id
  JOIN household_award a ON a.household_id = h.id AND a.award_key = :key AND a.year = s.year
 WHERE {tenant:s} AND {scope:h} AND {tenant:a} AND a.awarded <> s.awarded
"""
_SAVE = """
INSERT INTO household_award (tenant_id, area_code, household_id, award_key, year, awarded, source)
SELECT h.tenant_id, h.area_code, h.id, :key, s.year, s.awarded, :source
  FROM stage_award s JOIN household h ON h.id = s.household_id
 WHERE {tenant:s} AND {scope:h}
 ORDER BY h.id, s.year
ON CONFLICT (tenant_id, household_id, award_key, year) DO UPDATE
   SET awarded = excluded.awarded, source = excluded.source, version = household_award.version + 1, updated_at = now()
 WHERE household_award.awarded <> excluded.awarded
"""


@acts(HOUSEHOLD_EDIT)
def record_awards(uow: Uow, *, key: str, rows: Iterable[tuple[int, int, bool]], source: str = "") -> int:
    """Record a kind of award for many households, set by set: ``rows`` are (household, year, awarded), each household
    and year once. What stands already stays as it is; households outside the actor's area are left out.

    Plugins are not asked or told household by household: whoever calls this tells of the whole. Returns rows written.
    Raises Invalid (award, year).
    """
    given = sorted(rows)
    if uow.session.scalars(select(AwardKind.id).where(AwardKind.key == key)).one_or_none() is None:
        raise Invalid({"award": [_l("There is no award “%(award)s”.", award=key)]})
    last = today().year
    if any(not FIRST_YEAR <= year <= last for _household, year, _awarded in given):
        raise Invalid({"year": [_l("A year from %(first)s to %(last)s.", first=FIRST_YEAR, last=last)]})
    uow.session.flush()
    stage_rows(uow.session, "stage_award", _STAGE, given)
    params = {"key": key, "source": source}
    actor = uow.actor
    who = {
        "actor_kind": actor.kind,
        "account": actor.account_id,
        "actor_name": actor.name or actor.login,
        "ip": uow.info.ip,
        "request": uow.info.request_id,
    }
    changed = scoped_sql(uow.session, _NOTE_CHANGES, {**params, **who}).rowcount
    batch = {**params, "batch": uow.session.info.get(IMPORT_BATCH)}
    if batch["batch"] is not None:
        scoped_sql(uow.session, bulk_changes.AWARDS_BEFORE, batch)
    written = scoped_sql(uow.session, _SAVE, params).rowcount
    if batch["batch"] is not None:
        scoped_sql(uow.session, bulk_changes.AWARDS_AFTER, batch)
    if written:
        after = {"award": key, "households": written - changed, "changed": changed, "source": source}
        audit(uow, action="household.award", object_type="household", area_code=_area(uow), after=after)
    uow.session.expire_all()
    return int(written)


def _area(uow: Uow) -> int:
    return uow.scope.ranges[0][0] if uow.scope.ranges else 0


__all__ = ["record_awards"]
