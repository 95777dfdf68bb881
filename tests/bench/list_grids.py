"""``list_grids``: a county of 10,000 grids, listed, narrowed by size and opened, against its list of households.

Pages against the page, as a county administrator opens them over HTTP: statements, rendering and all.
"""

from __future__ import annotations

import psycopg

from bench.capture import request
from bench.load import fetch
from bench.measure import Result, paired
from bench.over_http import OURS
from bench.servers import gunicorn
from bench.stage import Stage, soon
from bench.turns import Turns, p95
from xiangyue.access.models import AccountSession
from xiangyue.access.tokens import SESSION_PREFIX, new_token
from xiangyue.features.grids import service_rules
from xiangyue.features.grids.kept_sizes import recount_households

GRIDS = 10_000
ROUNDS = 5
#: Requests of each page beside as many of the list of households; of them the 95th percentile.
TURNS = 40
HOUSEHOLDS = "/households?area=all"
PAGES = {
    "list": "/grids?area=all",
    "outside the size rule": "/grids?area=all&size=out",
    "outside, no reason given": "/grids?area=all&size=unexplained",
    "without a leader": "/grids?area=all&leader=none",
    "one town": "/grids?area={town}",
    "second page by name": "/grids?area=all&sort=name",
    "one grid": "/grids/{grid}",
}
#: Beside the list: what it counts in one look, for the whole county.
COVERAGE = "/grids/coverage?area=all"

#: Three levels in every village, by house order; of the third as many as make up the number. A code is the village's
#: twelve digits, the level and a serial number, as the counties' template has it.
_TREE = """
WITH leaf AS (
     SELECT h.area_code, generate_series(1, ceil(count(*)::numeric / %(size)s)::int) AS part
       FROM household h WHERE h.tenant_id = %(county)s AND h.state = 'active' GROUP BY h.area_code),
 tree AS (
     SELECT DISTINCT 1 AS level, area_code - area_code %% 1000 AS area_code, 1 AS serial FROM leaf
     UNION ALL SELECT DISTINCT 2, area_code, (area_code %% 1000)::int FROM leaf
     UNION ALL SELECT 3, area_code, (area_code %% 1000)::int * 100 + part FROM leaf)
INSERT INTO grid (tenant_id, area_code, code, kind)
SELECT %(county)s, area_code, area_code / 1000 || level::text || lpad(serial::text, 3, '0'), 'area' FROM tree
 ORDER BY area_code - area_code %% 1000, level, serial
"""
_VERSIONS = """
INSERT INTO grid_version (tenant_id, area_code, grid_id, valid_from, name, sort_key, level, parent_id, leaf, opened_by)
SELECT g.tenant_id, g.area_code, g.id, '2026-01-01', 'grid ' || g.code, g.code, substr(g.code, 13, 1)::int,
       (SELECT p.id FROM grid p
         WHERE p.tenant_id = g.tenant_id AND p.code = left(g.code, 12) || CASE substr(g.code, 13, 1)
               WHEN '2' THEN '1001' WHEN '3' THEN '2' || lpad((g.area_code %% 1000)::text, 3, '0') END),
       substr(g.code, 13, 1) = '3', 1
  FROM grid g WHERE g.tenant_id = %(county)s
"""
_HOMES = """
INSERT INTO grid_household (tenant_id, area_code, household_id, grid_id, valid_from, opened_by)
SELECT h.tenant_id, h.area_code, h.id, g.id, '2026-01-01', 1
  FROM (SELECT *, (row_number() OVER (PARTITION BY area_code ORDER BY code) - 1) / %(size)s AS part FROM household
         WHERE tenant_id = %(county)s AND state = 'active') h
  JOIN grid g ON g.tenant_id = h.tenant_id
       AND g.code = h.area_code / 1000 || '3' || lpad(((h.area_code %% 1000) * 100 + h.part + 1)::text, 3, '0')
 WHERE h.id %% 200 <> 0
"""
_LEADERS = """
INSERT INTO grid_post (tenant_id, area_code, grid_id, role, principal, name, valid_from, term_until)
SELECT tenant_id, area_code, id, 'leader', true, 'leader ' || id, '2026-01-01', DATE '2026-06-30' + (id %% 1500)::int
  FROM grid WHERE tenant_id = %(county)s AND id %% 20 <> 0
"""


def list_grids(stage: Stage) -> Result:
    grids, town, grid = _grids(stage)
    headers = {"Cookie": f"xy_session_{stage.settings.cookie_suffix}={_session(stage)}"}
    paths = {name: path.format(town=town, grid=grid) for name, path in PAGES.items()}
    asked = {name: request(stage, path, headers) for name, path in paths.items()}
    households = request(stage, HOUSEHOLDS, headers)
    coverage = request(stage, COVERAGE, headers)
    with gunicorn(OURS, stage.settings, XIANGYUE_WEB_WORKERS="1") as server:
        for one in (*asked.values(), households, coverage):
            head, _body = fetch(server.port, one)
            assert b" 200 " in head.split(b"\r\n", 1)[0], head
        each = {name: Turns(server.port, [one], [households], TURNS) for name, one in asked.items()}
        told = {name: (turns.ours(), turns.reference()) for name, turns in each.items()}
        slowest = max(told, key=lambda name: told[name][0])
        turns = each[slowest]
        seconds = p95(turns.ask([coverage] * 20))
        return paired(
            "list_grids",
            turns.ours,
            turns.reference,
            unit="ms p95",
            rounds=ROUNDS,
            larger_is_better=False,
            about={
                "ours": f"GET {paths[slowest]} by a county administrator's session, the slowest of the pages below",
                "reference": f"GET {HOUSEHOLDS} by the same, in turn over the same connection",
                "grids": f"{grids:,}",
                **{
                    name: f"{ours:.1f} ms p95, {ours / reference:.2f} of the list of households ({reference:.1f} ms)"
                    for name, (ours, reference) in told.items()
                },
                "coverage of the county": f"{seconds:.0f} ms p95",
                **stage.about,
            },
        )


def _session(stage: Stage) -> str:
    token, digest = new_token(SESSION_PREFIX)
    with stage.runtime.uow(stage.county().id) as uow:
        uow.session.add(AccountSession(account_id=stage.clerk, token_hash=digest, expires_at=soon()))
    return token


def _grids(stage: Stage) -> tuple[int, int, int]:
    """(grids, 12-digit code of a town, id of a leaf) of the county divided by house order, with its leaders."""
    people, county = stage.people, stage.county()
    with stage.runtime.uow(county.id) as uow:
        service_rules.set_rules(uow, sizes={3: {"min_households": 6, "max_households": 10, "max_persons": 30}})
    with psycopg.connect(stage.settings.migration_database_url, autocommit=True) as connection:
        made = connection.execute("SELECT count(*) FROM grid WHERE tenant_id = %s", [county.id]).fetchone()
        assert made is not None
        if not made[0]:
            given = {"county": county.id, "size": -(-people.households // (GRIDS - 1_500))}
            for sql in (_TREE, _VERSIONS, _HOMES, _LEADERS):
                connection.execute(sql, given)
            with stage.runtime.uow(county.id) as uow:
                recount_households(uow, None)
            for table in ("grid", "grid_version", "grid_household", "grid_post", "grid_size"):
                connection.execute(f"VACUUM (ANALYZE) {table}")
        row = connection.execute(
            "SELECT count(*), max(g.id) FROM grid g WHERE g.tenant_id = %s", [county.id]
        ).fetchone()
        assert row is not None
    return row[0], people.town // 1000, row[1]
