"""Who is in charge of grids: as of a day, and whether they still can be."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date
from typing import Any

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow

_COLUMNS = (
    "id", "grid_id", "role", "principal", "person_id", "name", "unit", "office_phone", "since", "term_until", "until",
    "ended_reason", "version", "warnings", "warning_reason", "person_state",
)  # fmt: skip
_POSTS = """
SELECT t.id, t.grid_id, t.role, t.principal, t.person_id, t.name, t.unit, t.office_phone, t.valid_from, t.term_until,
       t.valid_to, t.ended_reason, t.version, t.warnings, t.warning_reason, p.state
  FROM grid_post t LEFT JOIN person p ON {tenant:p} AND p.id = t.person_id
 WHERE {tenant:t} AND t.grid_id = ANY(:grids) AND %s
 ORDER BY CASE t.role WHEN 'leader' THEN 0 WHEN 'deputy' THEN 1 WHEN 'worker' THEN 2 ELSE 3 END, t.principal DESC,
       t.valid_from, t.id
"""
_STANDS = "t.valid_from <= CAST(:on AS date) AND (t.valid_to IS NULL OR t.valid_to > CAST(:on AS date))"


def posts_on(uow: Uow, grid_ids: Collection[int], on: date) -> dict[int, list[dict[str, Any]]]:
    """Posts of grids on a day, leaders first and the principal before the others; ``problem``: died, moved,
    term_over or "". Names of those in charge are on public boards, so the reader's area does not matter."""
    rows = scoped_rows(uow.session, _POSTS % _STANDS, {"grids": list(grid_ids), "on": on})
    found: dict[int, list[dict[str, Any]]] = {id: [] for id in grid_ids}
    for row in rows:
        post = dict(zip(_COLUMNS, row, strict=True))
        found[post["grid_id"]].append({**post, "problem": _problem(post, on)})
    return found


_LEADERS = """
SELECT DISTINCT ON (t.grid_id) t.grid_id, t.name, t.term_until, p.state, count(*) OVER (PARTITION BY t.grid_id) - 1
  FROM grid_post t LEFT JOIN person p ON {tenant:p} AND p.id = t.person_id
 WHERE {tenant:t} AND t.grid_id = ANY(:grids) AND t.role = 'leader' AND %s
 ORDER BY t.grid_id, t.principal DESC, t.valid_from, t.id
"""


def leaders_on(uow: Uow, grid_ids: Collection[int], on: date) -> dict[int, dict[str, Any]]:
    """Who leads each grid on a day (of several the principal one, ``others`` how many more): ``name``, ``term_until``,
    ``problem`` as in `posts_on`. Grids without a leader are missing."""
    rows = scoped_rows(uow.session, _LEADERS % _STANDS, {"grids": list(grid_ids), "on": on}) if grid_ids else []
    found = {}
    for id, name, term, state, others in rows:
        post = {"name": name, "term_until": term, "person_state": state, "others": others}
        found[id] = {**post, "problem": _problem(post, on)}
    return found


def posts_ahead(uow: Uow, grid_id: int, on: date) -> list[dict[str, Any]]:
    """Posts that begin after a day, the next first; those of `posts_on` otherwise."""
    rows = scoped_rows(uow.session, _POSTS % "t.valid_from > CAST(:on AS date)", {"grids": [grid_id], "on": on})
    posts = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    return sorted(posts, key=lambda post: (post["since"], post["id"]))


_TERMS = """
SELECT t.grid_id, t.role, t.term_until, g.token,
       (SELECT v.name FROM grid_version v WHERE {tenant:v} AND v.grid_id = t.grid_id ORDER BY v.valid_from DESC LIMIT 1)
  FROM grid_post t JOIN grid g ON g.id = t.grid_id
 WHERE {tenant:t} AND {tenant:g} AND t.account_id = :account AND t.valid_to IS NULL
   AND t.valid_from <= CAST(:on AS date) AND t.term_until <= CAST(:until AS date)
 ORDER BY t.term_until, t.id
"""


def own_terms(uow: Uow, account_id: int, on: date, until: date) -> list[dict[str, Any]]:
    """Posts of an account's holder whose term is over or ends by then: grid_id, role, term_until, token of its
    board, name of the grid."""
    rows = scoped_rows(uow.session, _TERMS, {"account": account_id, "on": on, "until": until})
    return [dict(zip(("grid_id", "role", "term_until", "token", "name"), row, strict=True)) for row in rows]


def all_posts(uow: Uow, grid_id: int) -> list[dict[str, Any]]:
    """Everybody who had a post in a grid, the newest first."""
    rows = scoped_rows(uow.session, _POSTS % "true", {"grids": [grid_id]})
    posts = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    return sorted(posts, key=lambda post: (post["since"], post["id"]), reverse=True)


def _problem(post: dict[str, Any], on: date) -> str:
    if post["person_state"] == "deceased":
        return "died"
    if post["person_state"] == "moved":
        return "moved"
    return "term_over" if post["term_until"] is not None and post["term_until"] < on else ""


def household_of(uow: Uow, person_id: int) -> int | None:
    """The household where a person belongs; None outside the actor's area."""
    sql = "SELECT p.household_id FROM person p WHERE {scope:p} AND p.id = :person AND p.state = 'active'"
    rows = scoped_rows(uow.session, sql, {"person": person_id})
    return rows[0][0] if rows else None


_OF_PERSON = """
SELECT t.grid_id, t.role, t.principal, t.valid_from, t.term_until, t.valid_to,
       (SELECT v.name FROM grid_version v WHERE {tenant:v} AND v.grid_id = t.grid_id ORDER BY v.valid_from DESC LIMIT 1)
  FROM grid_post t WHERE {tenant:t} AND t.person_id = :person ORDER BY t.valid_to IS NOT NULL, t.valid_from DESC, t.id
"""


def posts_of_person(uow: Uow, person_id: int) -> list[dict[str, Any]]:
    """Posts in grids that a person has or had, those that stand first. Who is in charge of a grid is no secret."""
    columns = ("grid_id", "role", "principal", "since", "term_until", "until", "name")
    return [dict(zip(columns, row, strict=True)) for row in scoped_rows(uow.session, _OF_PERSON, {"person": person_id})]


def grid_by_token(uow: Uow, token: uuid.UUID) -> int | None:
    """Id of the grid whose board this is."""
    rows = scoped_rows(
        uow.session,
        "SELECT g.id FROM grid g WHERE {tenant:g} AND g.token = CAST(:token AS uuid)",
        {"token": str(token)},
    )
    return rows[0][0] if rows else None


def token_of(uow: Uow, grid_id: int) -> uuid.UUID:
    rows = scoped_rows(uow.session, "SELECT g.token FROM grid g WHERE {tenant:g} AND g.id = :id", {"id": grid_id})
    found: uuid.UUID = rows[0][0]
    return found
