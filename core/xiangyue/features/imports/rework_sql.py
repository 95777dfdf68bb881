"""Statements of `rework`: which rows depend on those that were mended, and how they are put back.

``stage_touched`` holds the rows that were mended, with what they belonged to and belong to now; ``stage_again`` all
that are judged again: whole households.
"""

from __future__ import annotations

# ruff: noqa: S608 - statements are put together from constants of this module only

TOUCHED = {
    "row_no": "int", "old_key": "bigint", "old_person": "bigint", "new_key": "bigint", "new_person": "bigint",
    "gone": "bool",
}  # fmt: skip
KEY = {"row_no": "int", "household": "bigint", "person": "bigint", "gone": "bool"}
AGAIN = {"row_no": "int", "key": "bigint", "person": "bigint", "gone": "bool"}
ROW = {
    "row_no": "int", "household_n": "int", "household_key": "bigint", "person_key": "bigint", "payload": "bytea",
    "mended": "jsonb", "errors": "jsonb", "error_count": "int", "action": "text",
}  # fmt: skip
VERDICT = {"household_n": "int", "wrong": "bool"}
CROSS = {"row_no": "int", "errors": "jsonb", "error_count": "int"}

NEXT_TOUCHED = """
SELECT r.row_no, r.payload FROM import_row r JOIN stage_touched t ON t.row_no = r.row_no
 WHERE {tenant:r} AND {tenant:t} AND r.batch_id = :batch AND r.row_no > :after ORDER BY r.row_no LIMIT :limit
"""
NEW_KEYS = """
UPDATE stage_touched t
   SET old_key = r.household_key, old_person = r.person_key, new_key = k.household, new_person = k.person, gone = k.gone
  FROM stage_key k, import_row r
 WHERE {tenant:t} AND {tenant:r} AND {tenant:k} AND r.batch_id = :batch AND r.row_no = k.row_no AND t.row_no = k.row_no
"""

# The rows right before and behind a row in the sheet, of those that are not left out.
_BESIDE = """
LATERAL (SELECT max(p.row_no) AS row_no FROM import_row p
          WHERE {tenant:p} AND p.batch_id = :batch AND p.action <> 'out' AND p.row_no < %(row)s
         UNION ALL
         SELECT min(p.row_no) FROM import_row p
          WHERE {tenant:p} AND p.batch_id = :batch AND p.action <> 'out' AND p.row_no > %(row)s) n
"""
_TAKE = """
INSERT INTO stage_again (row_no, key, person, gone)
SELECT r.row_no, CASE WHEN t.row_no IS NULL THEN r.household_key WHEN NOT t.gone THEN t.new_key END,
       CASE WHEN t.row_no IS NULL THEN r.person_key WHEN NOT t.gone THEN t.new_person END,
       coalesce(t.gone, r.action = 'out')
  FROM import_row r LEFT JOIN stage_touched t ON t.row_no = r.row_no AND {tenant:t}
 WHERE {tenant:r} AND r.batch_id = :batch AND r.household_n IN (SELECT s.household_n FROM seed s)
   AND NOT EXISTS (SELECT FROM stage_again a WHERE {tenant:a} AND a.row_no = r.row_no)
"""
#: Of the rows that were mended: their households of before and of now, their neighbours, who has the same citizen
#: number, and households that may lack a head because of a row whose village was not known.
SEED = f"""
WITH seed AS MATERIALIZED (
SELECT DISTINCT x.household_n FROM import_row x
 WHERE {{tenant:x}} AND x.batch_id = :batch AND (
       x.row_no IN (SELECT t.row_no FROM stage_touched t WHERE {{tenant:t}})
    OR x.row_no IN (SELECT n.row_no FROM stage_touched t, {_BESIDE % {"row": "t.row_no"}} WHERE {{tenant:t}})
    OR x.action <> 'out' AND (
       x.household_key IN (SELECT t.new_key FROM stage_touched t WHERE {{tenant:t}})
    OR x.person_key IN (SELECT unnest(ARRAY[t.old_person, t.new_person]) FROM stage_touched t WHERE {{tenant:t}})
    OR x.action = 'error' AND (x.household_key & :mask) >> 1 IN (
       SELECT (unnest(ARRAY[t.old_key, t.new_key]) & :mask) >> 1 FROM stage_touched t WHERE {{tenant:t}})))
)
{_TAKE}
"""
#: Neighbours with the same number of which one stands in a village that is not known, or one of which has no number
#: (``joins``, see `judging.Grouping`): they may be one household now.
WIDEN = f"""
WITH seed AS MATERIALIZED (
SELECT DISTINCT x.household_n
  FROM stage_again a, {_BESIDE % {"row": "a.row_no"}}, import_row x
 WHERE {{tenant:a}} AND {{tenant:x}} AND x.batch_id = :batch AND x.row_no = n.row_no AND NOT a.gone
   AND ((x.household_key & :mask) >> 1 = (a.key & :mask) >> 1 AND ((x.household_key | a.key) & 1) = 1
     OR :joins AND (x.household_key IS NULL OR a.key IS NULL))
   AND NOT EXISTS (SELECT FROM stage_again b WHERE {{tenant:b}} AND b.row_no = x.row_no)
)
{_TAKE}
"""
#: Rows that are not judged again and have the same citizen number as a later one that is.
KNOWN = """
SELECT min(c.row_no)
  FROM import_row c
  JOIN (SELECT a.person, min(a.row_no) AS first FROM stage_again a
         WHERE {tenant:a} AND NOT a.gone AND a.person IS NOT NULL GROUP BY a.person) m ON m.person = c.person_key
 WHERE {tenant:c} AND c.batch_id = :batch AND c.action <> 'out'
   AND NOT EXISTS (SELECT FROM stage_again a WHERE {tenant:a} AND a.row_no = c.row_no)
 GROUP BY c.person_key, m.first HAVING min(c.row_no) < m.first
"""
#: Household numbers (`judging.LABEL_MASK`) of rows that are not judged again, where one that is has the same.
LABELS = """
SELECT DISTINCT c.household_key & :mask FROM import_row c
 WHERE {tenant:c} AND c.batch_id = :batch AND c.action <> 'out'
   AND (c.household_key & :mask) >> 1 IN (SELECT (a.key & :mask) >> 1 FROM stage_again a WHERE {tenant:a})
   AND NOT EXISTS (SELECT FROM stage_again a WHERE {tenant:a} AND a.row_no = c.row_no)
"""
OF_HOUSEHOLD = """
SELECT 1 FROM import_row r
 WHERE {tenant:r} AND r.batch_id = :batch AND r.household_key = :key AND r.action <> 'out' AND r.row_no <> :row LIMIT 1
"""
#: Which of these rows are judged again.
AMONG_AGAIN = "SELECT a.row_no FROM stage_again a WHERE {tenant:a} AND a.row_no = ANY(CAST(:rows AS int[]))"
PAYLOADS = """
SELECT r.row_no, r.payload FROM import_row r
 WHERE {tenant:r} AND r.batch_id = :batch AND r.row_no = ANY(:rows) ORDER BY r.row_no
"""
MARK_GONE = """
UPDATE import_row r SET action = CASE WHEN t.gone THEN 'out' ELSE 'again' END FROM stage_touched t
 WHERE {tenant:r} AND {tenant:t} AND r.batch_id = :batch AND r.row_no = t.row_no
"""
#: Row, payload, whether it was mended, whether it is left out, and the row before it in the sheet.
NEXT_AGAIN = """
SELECT r.row_no, r.payload, t.row_no IS NOT NULL, r.action = 'out',
       (SELECT max(p.row_no) FROM import_row p
         WHERE {tenant:p} AND p.batch_id = :batch AND p.action <> 'out' AND p.row_no < r.row_no)
  FROM import_row r
  JOIN stage_again a ON a.row_no = r.row_no
  LEFT JOIN stage_touched t ON t.row_no = r.row_no AND {tenant:t}
 WHERE {tenant:r} AND {tenant:a} AND r.batch_id = :batch AND r.row_no > :after ORDER BY r.row_no LIMIT :limit
"""
WRITE = """
UPDATE import_row r
   SET household_n = s.household_n, household_key = s.household_key, person_key = s.person_key,
       payload = coalesce(s.payload, r.payload), mended = coalesce(s.mended, r.mended), errors = s.errors,
       error_count = s.error_count, action = s.action
  FROM stage_row s
 WHERE {tenant:r} AND {tenant:s} AND r.batch_id = :batch AND r.row_no = s.row_no
"""
ADD_CROSS = """
UPDATE import_row r SET errors = r.errors || c.errors, error_count = r.error_count + c.error_count
  FROM stage_import_cross c
 WHERE {tenant:r} AND {tenant:c} AND r.batch_id = :batch AND r.row_no = c.row_no
"""
#: As at the check: a household with an error, or without a head, is left out whole. In two steps, for the planner knows
#: nothing of what an aggregate gives and would look through all households for each row.
JUDGE = """
INSERT INTO stage_verdict (household_n, wrong)
SELECT x.household_n, bool_or(x.error_count > 0) OR NOT bool_or(x.action = 'head')
  FROM import_row x JOIN stage_again a ON a.row_no = x.row_no
 WHERE {tenant:x} AND {tenant:a} AND x.batch_id = :batch AND x.action <> 'out' GROUP BY x.household_n
"""
SETTLE = """
UPDATE import_row r SET action = CASE WHEN w.wrong THEN 'error' ELSE 'write' END
  FROM stage_again a, stage_verdict w
 WHERE {tenant:r} AND {tenant:a} AND {tenant:w} AND r.batch_id = :batch AND r.row_no = a.row_no
   AND r.action IN ('head', 'member') AND r.household_n = w.household_n
"""
#: New ids, so that the rows of each household stand together again.
REORDER = """
WITH gone AS (
DELETE FROM import_row r USING stage_again a
 WHERE {tenant:r} AND {tenant:a} AND r.batch_id = :batch AND r.row_no = a.row_no
RETURNING r.*)
INSERT INTO import_row (tenant_id, batch_id, row_no, household_n, household_key, person_key, payload, mended, errors,
                        error_count, action)
SELECT g.tenant_id, g.batch_id, g.row_no, g.household_n, g.household_key, g.person_key, g.payload, g.mended, g.errors,
       g.error_count, g.action
  FROM gone g ORDER BY g.household_n, g.row_no
"""
COUNTS = """
SELECT count(*) FILTER (WHERE r.action <> 'out'), coalesce(sum(r.error_count), 0),
       count(*) FILTER (WHERE r.error_count > 0),
       count(DISTINCT r.household_n) FILTER (WHERE r.action <> 'out'),
       count(DISTINCT r.household_n) FILTER (WHERE r.action = 'write'), count(*) FILTER (WHERE r.action = 'out')
  FROM import_row r WHERE {tenant:r} AND r.batch_id = :batch
"""
