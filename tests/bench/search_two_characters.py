"""``search_two_characters``: the search of everything by API, against a household by its id, by the 95th percentile."""

from __future__ import annotations

import socket
import time
from urllib.parse import quote

from sqlalchemy import select

from bench.capture import request
from bench.load import fetch, read
from bench.measure import Result, paired
from bench.over_http import OURS
from bench.servers import gunicorn
from bench.stage import Stage, soon
from xiangyue.access.models import Account, ApiToken, Role, RoleGrant
from xiangyue.access.tokens import API_PREFIX, new_token
from xiangyue.db.sql import scoped_rows

ROUNDS = 7
WORDS_OF_A_KIND = 12
#: Requests of each side in a round; of them the 95th percentile.
TURNS = 120
LIMIT = 6
LOOKUP = "/api/v1/households/{}"


def search_two_characters(stage: Stage) -> Result:
    words, ids = _words(stage)
    headers = {"Authorization": f"Bearer {_county_wide(stage)}"}
    every = [word for kind in words.values() for word in kind]
    searches = [request(stage, f"/api/v1/search?q={quote(word)}&limit={LIMIT}", headers) for word in every]
    lookups = [request(stage, LOOKUP.format(id), headers) for id in ids]
    with gunicorn(OURS, stage.settings, XIANGYUE_WEB_WORKERS="1") as server:
        for one in (*searches, *lookups):
            head, body = fetch(server.port, one)
            assert b" 200 " in head.split(b"\r\n", 1)[0], head
            assert one in lookups or b'"id"' in body or b'"code"' in body, (one, body)
        turns = _Turns(server.port, searches, lookups)
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


class _Turns:
    """Search and look-up in turn over one connection, so that a busy machine is so for both."""

    def __init__(self, port: int, searches: list[bytes], lookups: list[bytes]) -> None:
        self.port, self.searches, self.lookups = port, searches, lookups
        self.measured = (0.0, 0.0)

    def ours(self) -> float:
        pairs = [(self.searches[n % len(self.searches)], self.lookups[n % len(self.lookups)]) for n in range(TURNS)]
        taken = self._ask([one for pair in pairs for one in pair])
        self.measured = (_p95(taken[0::2]), _p95(taken[1::2]))
        return self.measured[0]

    def reference(self) -> float:
        return self.measured[1]

    def median(self, asked: list[bytes]) -> float:
        taken = sorted(self._ask([asked[n % len(asked)] for n in range(15)]))
        return taken[len(taken) // 2]

    def _ask(self, asked: list[bytes]) -> list[float]:
        taken = []
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for one in asked:
                begin = time.perf_counter()
                connection.sendall(one)
                read(connection, b"")
                taken.append((time.perf_counter() - begin) * 1000)
        return taken


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


def _words(stage: Stage) -> tuple[dict[str, list[str]], list[int]]:
    """Some words of each kind, of people and households there are, and ids of households."""
    people = stage.people
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


def _county_wide(stage: Stage) -> str:
    """A token of an account that sees the whole county."""
    token, digest = new_token(API_PREFIX)
    county = stage.county()
    with stage.runtime.uow(county.id) as uow:
        account = Account(login="bench-county", name="bench")
        uow.session.add(account)
        uow.session.flush()
        role = uow.session.scalars(select(Role.id).where(Role.key == "county_admin")).one()
        uow.session.add(RoleGrant(account_id=account.id, role_id=role, area_code=county.area_code))
        uow.session.add(ApiToken(account_id=account.id, name="b", token_hash=digest, scopes=["*"], expires_at=soon()))
    return token
