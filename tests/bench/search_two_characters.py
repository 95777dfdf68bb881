"""``search_two_characters``: the search of everything by API, against a household by its id, by the 95th percentile."""

from __future__ import annotations

from urllib.parse import quote

from bench.capture import request
from bench.load import fetch
from bench.measure import Result, paired
from bench.over_http import OURS
from bench.servers import gunicorn
from bench.stage import Stage
from bench.turns import Turns
from xiangyue.db.sql import scoped_rows

ROUNDS = 7
WORDS_OF_A_KIND = 12
LIMIT = 6
LOOKUP = "/api/v1/households/{}"


def search_two_characters(stage: Stage) -> Result:
    words, ids = _words(stage)
    headers = {"Authorization": f"Bearer {stage.clerk_bearer}"}
    every = [word for kind in words.values() for word in kind]
    searches = [request(stage, f"/api/v1/search?q={quote(word)}&limit={LIMIT}", headers) for word in every]
    lookups = [request(stage, LOOKUP.format(id), headers) for id in ids]
    with gunicorn(OURS, stage.settings, XIANGYUE_WEB_WORKERS="1") as server:
        for one in (*searches, *lookups):
            head, body = fetch(server.port, one)
            assert b" 200 " in head.split(b"\r\n", 1)[0], head
            assert one in lookups or b'"id"' in body or b'"code"' in body, (one, body)
        turns = Turns(server.port, searches, lookups)
        result = paired(
            "search_two_characters",
            turns.ours,
            turns.reference,
            unit="ms p95",
            rounds=ROUNDS,
            larger_is_better=False,
            about={
                "ours": f"GET /api/v1/search?limit={LIMIT} with a bearer token: persons, households and areas, ranked",
                "reference": f"GET {LOOKUP.format('<id>')} with the same token: a household with all it has",
                "bound": "the search is to take at most three times the look-up: a ratio of 0.33 or more",
                "words": "; ".join(f"{kind}: {' '.join(chosen)}" for kind, chosen in words.items()),
                "load": "one keep-alive connection, one worker; each search is followed by a look-up",
                "scope": "the whole county",
                **{key: value for key, value in stage.about.items() if key != "web workers"},
            },
        )
        result.about["ms by kind (median of 15)"] = "; ".join(
            f"{kind} {turns.median([searches[every.index(word)] for word in chosen]):.1f}"
            for kind, chosen in words.items()
        )
    return result


def _words(stage: Stage) -> tuple[dict[str, list[str]], list[int]]:
    """Some words of each kind, of people and households there are, and ids of households."""
    people = stage.many
    with stage.runtime.uow(stage.county().id) as uow:
        rows = scoped_rows(
            uow.session,
            "SELECT h.id, h.head_name, h.address, h.code FROM household h WHERE {tenant:h}"
            " AND length(h.head_name) = 3 AND h.id % :step = 0 ORDER BY h.id LIMIT :n",
            {"step": max(1, people.households // WORDS_OF_A_KIND // 4), "n": WORDS_OF_A_KIND},
        )
    names, addresses = [row[1] for row in rows], [row[2] for row in rows]
    found = {
        "two characters of a given name": [name[1:] for name in names],
        "family name and one more": [name[:2] for name in names],
        "one character": [name[2] for name in names[:4]],
        "two characters of an address": [address[3:5] for address in addresses],
        "group and house number": [address[-6:] for address in addresses],
        "four digits (citizen number, phone, household)": [code[-4:] for *_rest, code in rows],
    }
    return found, [row[0] for row in rows]
