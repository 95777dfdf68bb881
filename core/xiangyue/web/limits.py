"""Rate limits of requests: so many a minute for a token, so many uploads for a person. 429 with Retry-After beyond."""

from __future__ import annotations

from xiangyue.access.actor import Actor
from xiangyue.access.ratelimit import api_rule
from xiangyue.runtime import Runtime


def limit_token(runtime: Runtime, actor: Actor) -> None:
    """Count a request of an access token. Raises TooMany."""
    most = runtime.settings.api_requests_per_minute
    if most:
        runtime.limiter.hit_some(f"{actor.tenant_id}:{actor.token_id}", api_rule(most))


def limit_uploads(runtime: Runtime, actor: Actor) -> None:
    """Count an upload by a person, whether by page or token. Raises TooMany."""
    runtime.limiter.hit(f"{actor.tenant_id}:{actor.account_id}", "upload")
