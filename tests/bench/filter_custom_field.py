"""``filter_custom_field``: lists narrowed to and ordered by the county's own fields, against a household by its id."""

from __future__ import annotations

from urllib.parse import quote

import orjson
import psycopg

from bench.capture import request
from bench.load import fetch
from bench.measure import Result, paired
from bench.over_http import OURS
from bench.search_two_characters import LOOKUP
from bench.servers import gunicorn
from bench.stage import COUNTIES, Stage
from bench.turns import Turns
from xiangyue.db.sql import scoped_rows
from xiangyue.features.households.models import CustomField

ROUNDS = 7
LISTS = "/api/v1/households?limit=50&fields=code,head_name,custom&"
#: Key -> (type, column of custom_value, its value by the household's id ``h.id``). How many have the same: of the text
#: two or three in the county, of the number two hundred, of the day about a hundred, of the choice a quarter.
FIELDS = {
    "plate": ("text", "text_value", "'K' || lpad((h.id * 7919 % 100000)::text, 5, '0')"),
    "mu": ("integer", "int_value", "h.id * 31 % 1000"),
    "checked": ("date", "date_value", "DATE '2020-01-01' + (h.id * 17 % 2000)::int"),
    "roof": ("choice", "text_value", "(ARRAY['tile', 'slab', 'thatch', 'iron'])[1 + h.id / 7 % 4]"),
    "well": ("boolean", "int_value", "h.id / 3 % 2"),
}
#: What is asked for, some of each kind.
KINDS = {
    "text begins with": [f"custom.plate=K{n}" for n in ("047", "99", "12")],
    "text contains": ["custom.plate.has=4711", "custom.plate.has=47"],
    "number is": ["custom.mu=17", "custom.mu=640"],
    "number from to": ["custom.mu.from=10&custom.mu.to=14", "custom.mu.from=900"],
    "day from to": [
        "custom.checked.from=2021-03-01&custom.checked.to=2021-03-07",
        "custom.checked.from=2024-01-01&custom.checked.to=2024-12-31",
    ],
    "choice": ["custom.roof=tile", "custom.roof=iron"],
    "yes or no": ["custom.well=yes", "custom.well=no"],
    "two fields": ["custom.roof=slab&custom.mu=17", "custom.well=yes&custom.checked=2022-02-02"],
    "by text": ["sort=custom.plate", "sort=-custom.plate"],
    "by number": ["sort=custom.mu", "sort=-custom.mu"],
    "by day": ["sort=custom.checked", "sort=-custom.checked"],
    "not recorded": ["custom.roof.filled=no"],
    "choice by size": ["custom.roof=tile&sort=-size"],
    "choice by number": ["custom.roof=tile&sort=-custom.mu"],
}


def filter_custom_field(stage: Stage) -> Result:
    written = _fields(stage)
    headers = {"Authorization": f"Bearer {stage.clerk_bearer}"}
    ids = _ids(stage)
    kinds = {"text is": [f"custom.plate.is=K{id * 7919 % 100_000:05}" for id in ids[:3]], **KINDS}
    lists = {kind: [request(stage, f"{LISTS}{query}", headers) for query in queries] for kind, queries in kinds.items()}
    lookups = [request(stage, LOOKUP.format(id), headers) for id in ids]
    with gunicorn(OURS, stage.settings, XIANGYUE_WEB_WORKERS="1") as server:
        # Second pages too: the order is walked on from a row in the middle.
        for kind in ("by text", "by number", "by day"):
            for query in KINDS[kind]:
                first = orjson.loads(fetch(server.port, request(stage, f"{LISTS}{query}", headers))[1])
                after = f"{LISTS}{query}&cursor={quote(first['next'])}"
                lists[kind].append(request(stage, after, headers))
        every = [one for kind in lists.values() for one in kind]
        for one in (*every, *lookups):
            head, body = fetch(server.port, one)
            assert b" 200 " in head.split(b"\r\n", 1)[0], head
            assert one in lookups or b'"code"' in body or b"filled=no" in one, (one, body)
        turns = Turns(server.port, every, lookups)
        result = paired(
            "filter_custom_field",
            turns.ours,
            turns.reference,
            unit="ms p95",
            rounds=ROUNDS,
            larger_is_better=False,
            about={
                "ours": f"GET {LISTS.rstrip('&')} with a bearer token, under conditions on own fields of each type and"
                " in their order, first and second pages",
                "reference": f"GET {LOOKUP.format('<id>')} with the same token: a household with all it has",
                "bound": "a list is to take at most three times the look-up: a ratio of 0.33 or more",
                "values": f"{written:,} of {len(FIELDS)} fields over both counties",
                "load": "one keep-alive connection, one worker; each list is followed by a look-up",
                "scope": "the whole county",
                **{key: value for key, value in stage.about.items() if key != "web workers"},
            },
        )
        result.about["ms by kind (median of 15)"] = "; ".join(
            f"{kind} {turns.median(requests):.1f}" for kind, requests in lists.items()
        )
    return result


def _fields(stage: Stage) -> int:
    """Fields of each type in both counties, with a value for every household; how many values."""
    _people = stage.many
    written = 0
    for slug in COUNTIES:
        with stage.runtime.uow(stage.county(slug).id) as uow:
            for position, (key, (kind, _column, _value)) in enumerate(FIELDS.items()):
                options = [{"key": k, "name": k, "name_en": k} for k in ("tile", "slab", "thatch", "iron")]
                uow.session.add(
                    CustomField(
                        entity="household",
                        key=key,
                        type=kind,
                        name=key,
                        name_en=key,
                        position=50 + position,
                        options=options if kind == "choice" else [],
                    )
                )
    with psycopg.connect(stage.settings.migration_database_url) as connection:
        for key, (_kind, column, value) in FIELDS.items():
            written += connection.execute(
                f"INSERT INTO custom_value (tenant_id, area_code, field_id, owner_id, {column})"
                f" SELECT h.tenant_id, h.area_code, f.id, h.id, {value.replace('%', '%%')} FROM household h"
                " JOIN custom_field f ON f.tenant_id = h.tenant_id AND f.entity = 'household' AND f.key = %s",
                [key],
            ).rowcount
    with psycopg.connect(stage.settings.migration_database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) custom_value, custom_field")
    return written


def _ids(stage: Stage) -> list[int]:
    """Some households from all over the county."""
    with stage.runtime.uow(stage.county().id) as uow:
        rows = scoped_rows(
            uow.session,
            "SELECT h.id FROM household h WHERE {tenant:h} AND h.id % :step = 0 ORDER BY h.id LIMIT 12",
            {"step": max(1, stage.many.households // 48)},
        )
    return [row[0] for row in rows]
