"""Writing pairs: set by set, so that entering one person and looking through a county do the same.

Plain SQL on the two records' tables; whoever calls has limited what is staged to what the actor may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xiangyue.db.sql import scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow

_STAGE = {"first_id": "bigint", "second_id": "bigint", "score": "smallint", "reasons": 'text COLLATE "C"'}


def _digest(columns: str) -> str:
    return f"decode(md5(concat_ws('|', {columns.format(o='a')}, '#', {columns.format(o='b')})), 'hex')"


#: What a decision that two are different rests on.
_FACTS = {
    "person": _digest(
        "{o}.name, {o}.sex, {o}.birth_date, encode({o}.id_number_index, 'hex'), encode({o}.phone_index, 'hex')"
    ),
    "household": _digest("{o}.area_code, {o}.head_name, {o}.address, {o}.person_count"),
}
_WRITE = """
INSERT INTO duplicate_pair (tenant_id, kind, first_id, second_id, score, reasons, facts, state)
SELECT s.tenant_id, '{kind}', s.first_id, s.second_id, s.score, s.reasons, {facts}, :state
  FROM stage_duplicate s JOIN {kind} a ON {{tenant:a}} AND a.id = s.first_id
  JOIN {kind} b ON {{tenant:b}} AND b.id = s.second_id
 WHERE {{tenant:s}} ORDER BY s.first_id, s.second_id
ON CONFLICT (tenant_id, kind, first_id, second_id) DO UPDATE
   SET score = excluded.score, reasons = excluded.reasons, facts = excluded.facts, state = excluded.state,
       found_at = CASE WHEN duplicate_pair.state = 'open' THEN duplicate_pair.found_at ELSE now() END,
       decided_at = NULL, decided_by = NULL, decided_name = '', note = '',
       version = duplicate_pair.version + 1, updated_at = now()
 WHERE {when}
"""
#: Of what stands already only this is overwritten: by the finder, what nobody decided or what has changed since.
_FOUND = """duplicate_pair.state <> 'merged' AND (duplicate_pair.facts <> excluded.facts
       OR (duplicate_pair.state = 'open' AND
           (duplicate_pair.score, duplicate_pair.reasons) <> (excluded.score, excluded.reasons)))"""
_SAID = "duplicate_pair.state <> 'merged'"
_STALE = """
DELETE FROM duplicate_pair d USING {kind} a, {kind} b
 WHERE {{tenant:d}} AND {{scope:a}} AND {{scope:b}} AND d.kind = '{kind}' AND d.state = 'open'
   AND a.id = d.first_id AND b.id = d.second_id
   AND (a.state = 'merged' OR b.state = 'merged' OR position('|by_hand|' IN d.reasons) = 0)
   AND NOT EXISTS (SELECT 1 FROM stage_duplicate s
                    WHERE {{tenant:s}} AND s.first_id = d.first_id AND s.second_id = d.second_id)
"""
_FACTS_NOW = """
SELECT {facts} FROM {kind} a, {kind} b WHERE {{tenant:a}} AND {{tenant:b}} AND a.id = :first AND b.id = :second
"""

#: (first, second) -> (score, reasons)
Found = Mapping[tuple[int, int], tuple[int, Iterable[str]]]


def packed(reasons: Iterable[str]) -> str:
    return f"|{'|'.join(sorted(reasons))}|"


def unpacked(reasons: str) -> list[str]:
    return [reason for reason in reasons.split("|") if reason]


def stage_pairs(uow: Uow, found: Found) -> None:
    uow.session.flush()
    rows = ((first, second, score, packed(reasons)) for (first, second), (score, reasons) in sorted(found.items()))
    stage_rows(uow.session, "stage_duplicate", _STAGE, rows)


def write_found(uow: Uow, kind: str, found: Found) -> tuple[int, int]:
    """Make the open pairs inside the scope what was found; (new or changed, no longer found)."""
    stage_pairs(uow, found)
    gone = scoped_sql(uow.session, _STALE.format(kind=kind)).rowcount
    return _write(uow, kind, "open", _FOUND), gone


def note_pairs(uow: Uow, kind: str, found: Found, *, state: str) -> None:
    """Add pairs that somebody named, as ``open`` or ``different``."""
    if found:
        stage_pairs(uow, found)
        _write(uow, kind, state, _SAID)


def _write(uow: Uow, kind: str, state: str, when: str) -> int:
    statement = _WRITE.format(kind=kind, facts=_FACTS[kind], when=when)
    return scoped_sql(uow.session, statement, {"state": state}).rowcount


def facts_now(uow: Uow, kind: str, first: int, second: int) -> bytes:
    """The digest of what is compared, as it stands."""
    uow.session.flush()
    statement = _FACTS_NOW.format(kind=kind, facts=_FACTS[kind])
    return bytes(scoped_rows(uow.session, statement, {"first": first, "second": second})[0][0])
