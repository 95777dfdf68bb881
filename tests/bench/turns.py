"""Requests in turn with a look-up by id, by the 95th percentile."""

from __future__ import annotations

import socket
import time

from bench.load import read

#: Requests of each side in a round; of them the 95th percentile.
TURNS = 120


class Turns:
    """What is measured and a look-up in turn over one connection, so that a busy machine is so for both."""

    def __init__(self, port: int, asked: list[bytes], lookups: list[bytes], turns: int = TURNS) -> None:
        self.port, self.requests, self.lookups, self.turns = port, asked, lookups, turns
        self.measured = (0.0, 0.0)

    def ours(self) -> float:
        pairs = [
            (self.requests[n % len(self.requests)], self.lookups[n % len(self.lookups)]) for n in range(self.turns)
        ]
        taken = self.ask([one for pair in pairs for one in pair])
        self.measured = (p95(taken[0::2]), p95(taken[1::2]))
        return self.measured[0]

    def reference(self) -> float:
        return self.measured[1]

    def median(self, asked: list[bytes]) -> float:
        taken = sorted(self.ask([asked[n % len(asked)] for n in range(15)]))
        return taken[len(taken) // 2]

    def ask(self, asked: list[bytes]) -> list[float]:
        """Milliseconds of each request, one after the other."""
        taken = []
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for one in asked:
                begin = time.perf_counter()
                connection.sendall(one)
                read(connection, b"")
                taken.append((time.perf_counter() - begin) * 1000)
        return taken


def p95(taken: list[float]) -> float:
    """The 95th percentile."""
    return sorted(taken)[int(len(taken) * 0.95)]
