"""Rate limits in Redis, shared by all processes. They fail open: without Redis people can still work.

What must hold without Redis (lock-out after wrong passwords) is counted in PostgreSQL; this slows floods.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from xiangyue.errors import TooMany
from xiangyue.i18n import lazy_gettext as _l

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """At most ``item.amount`` hits per key in ``item``'s period, sliding."""

    name: str
    item: RateLimitItem


def _table(*rules: Rule) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules}


#: Acts that ``hit_some`` counts together, and the keys of which it remembers how many are not counted yet.
BATCH = 20
MOST_PENDING = 10_000

#: Village offices share one address, so limits per address are wide; limits per account are narrow.
RULES = _table(
    Rule("sign_in_account", RateLimitItemPerMinute(10, 15)),
    Rule("sign_in_address", RateLimitItemPerMinute(100, 5)),
    Rule("second_factor", RateLimitItemPerMinute(10, 15)),
    Rule("reset_link", RateLimitItemPerHour(20)),
    Rule("upload", RateLimitItemPerMinute(30, 10)),
)


@lru_cache(maxsize=16)
def api_rule(per_minute: int) -> Rule:
    """Requests of one access token."""
    return Rule("api_token", RateLimitItemPerMinute(per_minute))


class RateLimiter:
    """``hit`` counts and refuses; one instance per process, safe between threads and greenlets.

    ``redis_url`` may be redis://, rediss:// or unix://. When Redis does not answer within ``timeout`` seconds
    the limiter lets all pass and asks again after ``pause`` seconds, so an outage hardly slows a request.
    ``prefix`` keeps instances apart that share one Redis: their tenants have the same numbers.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        prefix: str = "",
        timeout: float = 0.5,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        url = "redis+" + redis_url if redis_url.startswith("unix://") else redis_url
        self._storage = RedisStorage(
            url,
            key_prefix=f"xiangyue:{prefix}:limit" if prefix else "xiangyue:limit",
            wrap_exceptions=True,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
        )
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)
        self._pause = pause
        self._clock = clock
        self._away_until = 0.0
        self._away = False
        self._lock = threading.Lock()
        self._pending: dict[str, int] = {}

    def hit(self, key: str, rule: str | Rule) -> None:
        """Count one act of ``key`` (tenant and account, address, token). Raises TooMany over the limit."""
        chosen = self._rule(rule)
        digest = _digest(key)

        def act() -> int | None:
            if self._strategy.hit(chosen.item, chosen.name, digest):
                return None
            return self._retry_after(chosen, digest)

        self._refuse(self._try(act), chosen)

    def hit_some(self, key: str, rule: str | Rule) -> None:
        """``hit`` for what comes often and is limited widely: Redis is asked at every BATCH-th act of this process.

        So the limit may be passed by less than BATCH acts a process, and most acts cost no round trip.
        """
        chosen = self._rule(rule)
        digest = _digest(key)
        pending = self._pending.get(digest, 0) + 1
        if pending < BATCH:
            if len(self._pending) > MOST_PENDING:
                self._pending.clear()
            self._pending[digest] = pending
            return

        def act() -> int | None:
            if self._strategy.hit(chosen.item, chosen.name, digest, cost=BATCH):
                self._pending.pop(digest, None)
                return None
            return self._retry_after(chosen, digest)

        self._refuse(self._try(act), chosen)

    def check(self, key: str, rule: str | Rule) -> None:
        """Like ``hit`` without counting: for acts of which only the failed ones are to count."""
        chosen = self._rule(rule)
        digest = _digest(key)

        def act() -> int | None:
            if self._strategy.test(chosen.item, chosen.name, digest):
                return None
            return self._retry_after(chosen, digest)

        self._refuse(self._try(act), chosen)

    def clear(self, key: str, rule: str | Rule) -> None:
        """Forget the hits of ``key``, say after a right password."""
        chosen = self._rule(rule)

        def act() -> int | None:
            self._strategy.clear(chosen.item, chosen.name, _digest(key))
            return None

        self._try(act)

    def _rule(self, rule: str | Rule) -> Rule:
        return rule if isinstance(rule, Rule) else RULES[rule]

    def _retry_after(self, rule: Rule, digest: str) -> int:
        stats = self._strategy.get_window_stats(rule.item, rule.name, digest)
        return max(1, math.ceil(stats.reset_time - time.time()))

    def _refuse(self, retry_after: int | None, rule: Rule) -> None:
        if retry_after is not None:
            raise TooMany(
                _l("Too many attempts. Wait %(seconds)d s, then try again.", seconds=retry_after),
                retry_after=retry_after,
                rule=rule.name,
            )

    def _try(self, act: Callable[[], int | None]) -> int | None:
        if self._away and self._clock() < self._away_until:
            return None
        try:
            outcome = act()
        except (StorageError, OSError) as error:
            self._went_away(error)
            return None
        except Exception as error:
            # The sliding-window calls of `limits` do not wrap what the Redis client raises.
            if not isinstance(error, self._storage.base_exceptions):
                raise
            self._went_away(error)
            return None
        if self._away:
            with self._lock:
                back, self._away = self._away, False
            if back:
                log.info("rate_limits_back")
        return outcome

    def _went_away(self, error: Exception) -> None:
        with self._lock:
            first, self._away = not self._away, True
            self._away_until = self._clock() + self._pause
        if first:
            log.warning("rate_limits_off", reason=str(error) or type(error).__name__)


def _digest(key: str) -> str:
    """Logins and addresses don't belong into Redis; their hash does as well."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
