"""``search_name``: the search box's query by suffix ranges, against LIKE on the same rows under the same policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from bench.measure import Result, paired
from bench.stage import Stage
from xiangyue.access.actor import system_actor
from xiangyue.db.rls import protect
from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.features.households.queries_search import search
from xiangyue.text.pinyin import initials, syllables

ROUNDS = 5
WORDS_OF_A_KIND = 6
LIMIT = 20

#: The same columns and joins as the search, the candidates by LIKE, ranked and cut by PostgreSQL.
_LIKE = """
SELECT p.id, p.household_id, p.name, p.sex, p.birth_date, p.relation, p.nationality, p.away, p.state, p.area_code,
       p.version, p.updated_at, h.code, h.head_name, h.address, h.person_count, h.state
  FROM {source} c JOIN person p ON p.id = c.id JOIN household h ON h.id = p.household_id
 WHERE {{tenant:c}} AND {{scope:p}} AND {{tenant:h}} AND {match}
 ORDER BY {rank}, p.sort_key, p.id LIMIT :limit
"""
_BY_NAME = _LIKE.format(
    source="person",
    match="c.name LIKE :within",
    rank="(c.name = :q) DESC, (c.name LIKE :start) DESC",
)
_BY_PINYIN = _LIKE.format(
    source="bench_pinyin",
    match="(c.initials LIKE :within OR c.pinyin LIKE :within)",
    rank="(c.initials = :q) DESC, (c.pinyin LIKE :start) DESC",
)


def search_name(stage: Stage) -> Result:
    words = _words(stage)
    _pinyin_column(stage)
    tenant = stage.county().id
    latency: dict[str, dict[str, float]] = {}

    def timed(side: str, once: Callable[[Uow, str], Any]) -> Callable[[], float]:
        """Searches per second over all words, each in a transaction of its own as in a request."""

        def run() -> float:
            total = 0.0
            for kind, chosen in words.items():
                begin = time.perf_counter()
                for word in chosen:
                    with Uow(stage.runtime.engine, tenant_id=tenant, actor=system_actor(tenant)) as uow:
                        assert once(uow, word), word
                seconds = time.perf_counter() - begin
                latency.setdefault(kind, {})[side] = seconds / len(chosen) * 1000
                total += seconds
            return sum(map(len, words.values())) / total

        return run

    result = paired(
        "search_name",
        timed("ours", lambda uow, word: search(uow, word, LIMIT).persons),
        timed("reference", _like),
        unit="searches/s",
        rounds=ROUNDS,
        about={
            "ours": "features.households.queries_search.search: suffix ranges, at most 1,000 candidates, ranked, with"
            " names of areas; persons and households",
            "reference": "one statement with LIKE '%x%' on the name (for pinyin: on a column with initials and one with"
            " pinyin), same joins, ranked, LIMIT 20; persons only",
            "words": "; ".join(f"{kind}: {' '.join(chosen)}" for kind, chosen in words.items()),
            "scope": "the whole county",
            **{key: value for key, value in stage.about.items() if key != "web workers"},
        },
    )
    result.about["ms of the last round (ours / reference)"] = "; ".join(
        f"{kind} {one['ours']:.1f} / {one['reference']:.1f}" for kind, one in latency.items()
    )
    return result


def _like(uow: Uow, word: str) -> list[tuple[Any, ...]]:
    params = {"q": word, "within": f"%{word}%", "start": f"{word}%", "limit": LIMIT}
    return scoped_rows(uow.session, _BY_PINYIN if word.isascii() else _BY_NAME, params)


def _words(stage: Stage) -> dict[str, list[str]]:
    """Some words of each kind, from names that occur."""
    people = stage.people
    with stage.runtime.uow(stage.county().id) as uow:
        names = scoped_rows(
            uow.session,
            "SELECT p.name FROM person p WHERE {tenant:p} AND length(p.name) = 3 AND p.id % :step = 0"
            " ORDER BY p.id LIMIT :n",
            {"step": people.persons // WORDS_OF_A_KIND // 4, "n": WORDS_OF_A_KIND},
        )
    found = [name for (name,) in names]
    return {
        "1 character": [name[2] for name in found],
        "2 characters": [name[1:] for name in found],
        "3 characters": found,
        "initials": [initials(name) for name in found],
        "pinyin": ["".join(syllables(name)[1:]) for name in found],
    }


def _pinyin_column(stage: Stage) -> None:
    """What a search of pinyin by LIKE would need: the pinyin of each person, beside the register, under RLS too."""
    with psycopg.connect(stage.settings.migration_database_url) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_pinyin")
        connection.execute(
            "CREATE TABLE bench_pinyin (tenant_id int NOT NULL, id bigint NOT NULL, initials text, pinyin text,"
            " PRIMARY KEY (tenant_id, id))"
        )
        connection.execute("CREATE TEMP TABLE spelt (name text, initials text, pinyin text) ON COMMIT DROP")
        names = connection.execute("SELECT DISTINCT name FROM person").fetchall()
        with connection.cursor() as cursor, cursor.copy("COPY spelt FROM STDIN") as copy:
            for (name,) in names:
                copy.write_row((name, initials(name), "".join(syllables(name))))
        connection.execute(
            "INSERT INTO bench_pinyin SELECT p.tenant_id, p.id, s.initials, s.pinyin"
            " FROM person p JOIN spelt s ON s.name = p.name"
        )
        for statement in protect("bench_pinyin", grants="SELECT"):
            connection.execute(statement)
    with psycopg.connect(stage.settings.migration_database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) bench_pinyin")
