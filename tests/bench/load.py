"""A load client: a few keep-alive connections in one process of their own, as many requests as fit in a time.

Run as a program it prints requests per second; ``seconds`` and ``connections`` bound it.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import json
import socket
import statistics
import subprocess
import sys
import time

import gevent


def fetch(port: int, request: bytes) -> tuple[bytes, bytes]:
    """(head, body) of one request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        return read(connection, b"")[:2]


def read(connection: socket.socket, rest: bytes) -> tuple[bytes, bytes, bytes]:
    """(head, body, what came after it) of the next answer; ``rest`` came before."""
    while b"\r\n\r\n" not in rest:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed before the head was complete")
        rest += data
    head, _, body = rest.partition(b"\r\n\r\n")
    lowered = head.lower()
    at = lowered.index(b"content-length:") + 15
    length = int(lowered[at:].split(b"\r\n", 1)[0])
    while len(body) < length:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed before the body was complete")
        body += data
    return head, body[:length], body[length:]


def _client(port: int, request: bytes, until: float, counts: list[int]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rest = b""
        while time.perf_counter() < until:
            connection.sendall(request)
            head, _body, rest = read(connection, rest)
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(head.decode(errors="replace"))
            counts.append(1)


def run(port: int, request: bytes, seconds: float = 4.0, connections: int = 8) -> float:
    """Requests per second, measured by a client process of its own."""
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps([port, request.decode(), seconds, connections]),
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    return float(done.stdout)


def in_turn(ports: list[int], request: bytes, times: int) -> list[float]:
    """Median milliseconds of a request to each port, over one connection each, asked one after the other in turn."""
    connections = [socket.create_connection(("127.0.0.1", port)) for port in ports]
    taken: list[list[float]] = [[] for _ in ports]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for turn in range(times):
        # Who goes first changes, so that neither side always runs in what the other left in the caches.
        for side in sorted(range(len(ports)), reverse=bool(turn % 2)):
            begin = time.perf_counter()
            connections[side].sendall(request)
            read(connections[side], b"")
            taken[side].append((time.perf_counter() - begin) * 1000)
    for connection in connections:
        connection.close()
    return [statistics.median(one) for one in taken]


def main() -> None:
    port, request, seconds, connections = json.load(sys.stdin)
    counts: list[int] = []
    begin = time.perf_counter()
    tasks = [gevent.spawn(_client, port, request.encode(), begin + seconds, counts) for _ in range(connections)]
    gevent.joinall(tasks, raise_error=True)
    print(len(counts) / (time.perf_counter() - begin))


if __name__ == "__main__":
    main()
