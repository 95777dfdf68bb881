"""What follows from persons and areas, kept up to date set by set: head, order, size, search suffixes, area codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from xiangyue.db.copying import CopyRows
from xiangyue.db.sql import fill_stage, scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.kept import recounted
from xiangyue.text.codes import HEAD
from xiangyue.text.pinyin import suffixes

#: A person's search words (`words_of`), id, household id, area code.
Named = tuple[str, int, int, int]

# One row for each person, its suffixes joined by blanks, which none of them holds.
_SUFFIX_COLUMNS = {"suffixes": 'text COLLATE "C"', "id": "bigint", "household_id": "bigint", "area_code": "bigint"}

# In the order of the key, so that the index grows page by page and not all over.
_ADD_SUFFIXES = """
INSERT INTO name_suffix (tenant_id, area_code, suffix, id, household_id)
SELECT s.tenant_id, s.area_code, one.suffix, s.id, s.household_id
  FROM stage_suffix s CROSS JOIN string_to_table(s.suffixes, ' ') AS one(suffix)
 WHERE {tenant:s} ORDER BY one.suffix, s.id
"""

# Each suffix is a row of its own, which the planner has looked at: of what a function gives it knows nothing, and may
# look for the persons first, by an index that begins with the suffix.
_GONE_COLUMNS = {"suffix": 'text COLLATE "C"', "id": "bigint"}
_DROP_SUFFIXES = """
DELETE FROM name_suffix n USING stage_suffix_gone s
 WHERE {tenant:n} AND {tenant:s} AND n.suffix = s.suffix AND n.id = s.id
"""

_LOCK = "SELECT h.id FROM household h WHERE {tenant:h} AND h.id = ANY(:ids) ORDER BY h.id FOR UPDATE"
_HOUSEHOLDS = """
UPDATE household h
   SET head_name = coalesce(d.name, ''), sort_key = coalesce(d.sort_key, ''), person_count = coalesce(d.persons, 0),
       registered_count = m.registered, living_count = m.living
  FROM (SELECT unnest(CAST(:ids AS bigint[])) AS id) AS wanted
  LEFT JOIN LATERAL (
       SELECT p.name, p.sort_key, count(*) OVER () AS persons
         FROM person p
        WHERE {tenant:p} AND p.household_id = wanted.id AND p.state = 'active'
        ORDER BY (p.relation = :head) DESC, p.id LIMIT 1) d ON true
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE k.registered) AS registered, count(*) FILTER (WHERE k.living) AS living
         FROM household_member k
        WHERE {tenant:k} AND k.household_id = wanted.id AND k.valid_to IS NULL) m
 WHERE {tenant:h} AND h.id = wanted.id
   AND (h.head_name, h.sort_key, h.person_count, h.registered_count, h.living_count) IS DISTINCT FROM
       (coalesce(d.name, ''), coalesce(d.sort_key, ''), coalesce(d.persons, 0), m.registered, m.living)
RETURNING h.id
"""

#: Tables whose rows lie where their household does; some are other features' and move along.
_CHILDREN = (
    "person", "person_mark", "household_income", "household_award", "name_suffix", "household_member",
    "register_act", "classification", "grid_household",
)  # fmt: skip
_MOVE = """
UPDATE {child} c SET area_code = h.area_code
  FROM household h
 WHERE {{tenant:c}} AND {{tenant:h}} AND h.id = ANY(:ids) AND c.household_id = h.id AND c.area_code <> h.area_code
"""
_MOVE_VALUES = """
UPDATE custom_value c SET area_code = o.area_code
  FROM custom_field f, {owner} o
 WHERE {{tenant:c}} AND {{tenant:f}} AND {{tenant:o}} AND f.id = c.field_id AND f.entity = '{owner}'
   AND o.id = c.owner_id AND {key} = ANY(:ids) AND c.area_code <> o.area_code
"""


_PERSON_MARKS = """
UPDATE person_mark c SET area_code = p.area_code, household_id = p.household_id
  FROM person p
 WHERE {tenant:c} AND {tenant:p} AND p.id = ANY(:ids) AND c.person_id = p.id
   AND (c.area_code, c.household_id) <> (p.area_code, p.household_id)
"""


def refresh_derived_sql(uow: Uow, household_ids: Collection[int]) -> None:
    """Set head_name, sort_key and the counts of the households from their present members; the version stays.

    The head is the member whose relation is 02, else the one registered first. Search suffixes are not touched here:
    see ``rewrite_suffixes``.
    """
    if household_ids:
        uow.session.flush()
        ids = list(household_ids)
        # A statement of its own: two who change different members at once take turns, and the second then counts
        # what the first left. One UPDATE alone would count what stood when it began to wait.
        scoped_sql(uow.session, _LOCK, {"ids": ids})
        changed = scoped_rows(uow.session, _HOUSEHOLDS, {"ids": ids, "head": HEAD})
        if changed:
            recounted(uow, [id for (id,) in changed])


def move_with_household(uow: Uow, household_ids: Collection[int]) -> None:
    """Bring the area codes of what lies where the household does (``_CHILDREN``) and of custom values to its own."""
    if not household_ids:
        return
    uow.session.flush()
    ids = {"ids": list(household_ids)}
    for child in _CHILDREN:
        scoped_sql(uow.session, _MOVE.format(child=child), ids)
    for owner, key in (("household", "o.id"), ("person", "o.household_id")):
        scoped_sql(uow.session, _MOVE_VALUES.format(owner=owner, key=key), ids)


def move_with_person(uow: Uow, person_ids: Collection[int]) -> None:
    """Bring marks and custom values to the household and area where the persons now are."""
    if not person_ids:
        return
    uow.session.flush()
    ids = {"ids": list(person_ids)}
    scoped_sql(uow.session, _PERSON_MARKS, ids)
    scoped_sql(uow.session, _MOVE_VALUES.format(owner="person", key="o.id"), ids)


def rewrite_suffixes(uow: Uow, person_ids: Collection[int]) -> None:
    """Make the search rows of these persons what their names say; those moved away or deceased have none."""
    if not person_ids:
        return
    uow.session.flush()
    ids = {"ids": list(person_ids)}
    scoped_sql(uow.session, "DELETE FROM name_suffix n WHERE {tenant:n} AND n.id = ANY(:ids)", ids)
    rows = scoped_rows(
        uow.session,
        "SELECT p.id, p.name, p.household_id, p.area_code FROM person p"
        " WHERE {tenant:p} AND p.id = ANY(:ids) AND p.state = 'active'",
        ids,
    )
    write_suffixes(uow, ((id, name, household, area) for id, name, household, area in rows))


def write_suffixes(uow: Uow, persons: Iterable[tuple[int, str, int, int]]) -> None:
    """Add search rows of persons that have none: (person id, name, household id, area code) each."""
    write_named(uow, ((words_of(name), id, household, area) for id, name, household, area in persons))


def words_of(name: str) -> str:
    """What a name is found by, joined by blanks, which none of it holds."""
    return " ".join(suffixes(name))


def write_named(uow: Uow, rows: Iterable[Named] | CopyRows) -> None:
    """The same of persons whose search words are known already."""
    if fill_stage(uow.session, "stage_suffix", _SUFFIX_COLUMNS, rows):
        scoped_sql(uow.session, _ADD_SUFFIXES)


def drop_suffixes(uow: Uow, persons: Iterable[tuple[int, str]]) -> None:
    """Take away the search rows of persons by the names they have: (person id, name) each. By the key, for many at
    once."""
    rows = ((suffix, id) for id, name in persons for suffix in suffixes(name))
    if stage_rows(uow.session, "stage_suffix_gone", _GONE_COLUMNS, rows):
        scoped_sql(uow.session, _DROP_SUFFIXES)
