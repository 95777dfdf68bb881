"""Counties come aboard, follow their profiles, are suspended and resumed. Each act is in both trails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xiangyue.access.acts import acts
from xiangyue.access.audit import audit_export
from xiangyue.db.uow import Uow
from xiangyue.errors import Conflict
from xiangyue.features.console import policy
from xiangyue.features.console.queries.counties import county_of_code
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.runtime import Runtime
from xiangyue.tenancy import lifecycle, provision
from xiangyue.tenancy.counties import minimal_profile
from xiangyue.tenancy.divide import divide
from xiangyue.tenancy.profile_types import DivisionRow, Profile
from xiangyue.tenancy.provision import Change


@acts(policy.OPERATOR_MANAGE)
def suspend_county(uow: Uow, *, runtime: Runtime, slug: str, reason: str, version: int | None = None) -> int:
    """Stop a county's service at once; returns its new version. Raises NotFound, Invalid, Conflict, Stale."""
    return lifecycle.suspend(runtime, slug, reason=reason, actor=uow.actor, info=uow.info, version=version)


@acts(policy.OPERATOR_MANAGE)
def resume_county(uow: Uow, *, runtime: Runtime, slug: str, version: int | None = None) -> int:
    """Let a suspended county go on; returns its new version. Raises NotFound, Conflict, Stale."""
    return lifecycle.resume(runtime, slug, actor=uow.actor, info=uow.info, version=version)


@acts(policy.OPERATOR_MANAGE)
def plan_profile(uow: Uow, *, runtime: Runtime, profile: Profile) -> list[Change]:
    """What applying the profile would change; nothing is kept. Raises Conflict (slug or host of another county)."""
    return provision.plan(runtime, profile)


@acts(policy.OPERATOR_MANAGE)
def apply_profile(uow: Uow, *, runtime: Runtime, profile: Profile, expected: str | None = None) -> list[Change]:
    """Make a county what its profile says. ``expected``: fingerprint of the plan that was confirmed.

    Raises Conflict, and Stale when the plan is another by now.
    """
    return provision.apply(runtime, profile, actor=uow.actor, info=uow.info, expected=expected)


@acts(policy.OPERATOR_MANAGE)
def profile_of_code(uow: Uow, *, code: str, slug: str | None = None) -> Profile:
    """The profile of a county by its six-digit code, to plan and apply. An empty slug means the county's own pinyin.

    Raises NotFound for an unknown code, Invalid on ``slug``, Conflict when the county is aboard already: its own
    profile would lose what it has beyond this one.
    """
    profile = minimal_profile(code, slug or None)
    known = county_of_code(uow, profile.area_code)
    if known is not None:
        raise Conflict(
            _l("%(name)s is aboard already as “%(slug)s”.", name=known.name, slug=known.slug), slug=known.slug
        )
    return profile


@acts(policy.OPERATOR_MANAGE)
def plan_divisions(uow: Uow, *, runtime: Runtime, slug: str, rows: Sequence[DivisionRow]) -> list[Change]:
    """What the towns and villages of a file would change in a county; nothing is kept. Raises NotFound."""
    return divide(runtime, slug, rows, keep=False)


@acts(policy.OPERATOR_MANAGE)
def apply_divisions(
    uow: Uow,
    *,
    runtime: Runtime,
    slug: str,
    rows: Sequence[DivisionRow],
    file: str = "",
    expected: str | None = None,
) -> list[Change]:
    """Give a county its towns and villages. ``expected``: fingerprint of the plan that was confirmed.

    Raises NotFound, and Stale when the plan is another by now.
    """
    return divide(runtime, slug, rows, actor=uow.actor, info=uow.info, keep=True, expected=expected, file=file)


@acts(policy.OPERATOR_VIEW)
def note_export(
    uow: Uow, *, number: str, purpose: str, rows: int, columns: Sequence[str], conditions: Mapping[str, Any]
) -> None:
    """Put an export of the list into the operator's trail, where its ``number`` finds it."""
    audit_export(
        uow, action="operator.export", number=number, purpose=purpose, rows=rows, columns=columns, conditions=conditions
    )
