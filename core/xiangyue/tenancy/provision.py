"""Bringing a county aboard: plan and apply a profile, in one transaction, audited, without DDL.

The tenant row and its hosts are handled here; every other part of a profile (roles, areas, marks …) is a
``ProfileSection`` that a feature registers.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from xiangyue.access.actor import Actor
from xiangyue.access.audit import audit
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import Conflict, Stale, XiangyueError
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.installed import told
from xiangyue.plugin.manager import Registry
from xiangyue.plugin.offer import Contributor
from xiangyue.plugin.registry import ProfileSection
from xiangyue.tenancy import operator
from xiangyue.tenancy.cross import operator_id, tell_operator, visiting
from xiangyue.tenancy.enablement import enabled_names
from xiangyue.tenancy.models import COUNTY, OPERATOR, Tenant, TenantHost
from xiangyue.tenancy.profile_types import Profile

if TYPE_CHECKING:
    from xiangyue.runtime import Runtime

#: Advisory lock of the transaction: two profiles at once could both find a slug or host free.
LOCK_KEY = 0x7869_616E_6779_7566


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan: ``verb`` add, change or remove; ``what`` e.g. ``area 漩涡镇``; old and new value."""

    verb: str
    what: str
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        sign = {"add": "+", "change": "~", "remove": "-"}[self.verb]
        if self.verb == "change":
            return f"{sign} {self.what}: {self.before} → {self.after}"
        return f"{sign} {self.what}"


def _tenant_values(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "name_en": profile.name_en,
        "area_code": profile.code15,
        "locale": profile.locale,
        "settings": _plain(dataclasses.asdict(profile.settings)),
    }


def _plain(value: Any) -> Any:
    """As it comes back from JSON, so that a second apply finds nothing to change."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, date | time):  # of a plugin's settings in TOML
        return value.isoformat()
    return value


def snapshot(profile: Profile) -> dict[str, Any]:
    """What the directory keeps of a profile as applied, for the console: no areas, but how many of each level."""
    levels = ("town", "village", "group")
    found = {
        "source": "/".join(profile.file.replace("\\", "/").split("/")[-2:]),
        "province": profile.province,
        "city": profile.city,
        "plugins": {p.name: {"enabled": p.enabled, "settings": dict(p.settings)} for p in profile.plugins},
        "roles": [r.key for r in profile.roles],
        "custom_fields": [f"{f.entity}.{f.key}" for f in profile.custom_fields],
        "marks": [m.key for m in profile.marks],
        "awards": [a.key for a in profile.awards],
        "divisions": {level: len(profile.at_level(level)) for level in levels},  # type: ignore[arg-type]
    }
    return dict(_plain(found))


def fingerprint(changes: Sequence[Change]) -> str:
    """A short mark of a plan: who confirms one gets this one or none."""
    text = "\n".join(f"{c.verb} {c.what} {c.before!r} {c.after!r}" for c in changes)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _tenant_changes(session: Session, tenant: Tenant | None, profile: Profile) -> list[Change]:
    if tenant is None:
        added = [f"tenant {profile.slug}", *(f"host {h}" for h in profile.hosts)]
        return [Change("add", what) for what in added]
    if tenant.area_code != profile.code15:
        raise Conflict(
            _l(
                "The slug “%(slug)s” already belongs to county %(code)s.",
                slug=profile.slug,
                code=str(tenant.area_code)[:6],
            )
        )
    changes = []
    for key, value in _tenant_values(profile).items():
        if getattr(tenant, key) != value:
            changes.append(Change("change", f"tenant {key}", getattr(tenant, key), value))
    known = set(session.scalars(select(TenantHost.host).where(TenantHost.tenant_id == tenant.id)))
    changes += [Change("add", f"host {h}") for h in profile.hosts if h not in known]
    changes += [Change("remove", f"host {h}") for h in sorted(known - set(profile.hosts))]
    return changes


def _check_hosts(session: Session, tenant_id: int | None, profile: Profile) -> None:
    for host in profile.hosts:
        owner = session.get(TenantHost, host)
        if owner is not None and owner.tenant_id != tenant_id:
            raise Conflict(_l("The host name %(host)s already belongs to another county.", host=host))


def plan(runtime: Runtime, profile: Profile) -> list[Change]:
    """What ``apply`` would change; nothing is kept. Runs the real thing and rolls it back, so both always agree."""
    return _run(runtime, profile, actor=None, info=None, keep=False, expected=None)


def apply(
    runtime: Runtime,
    profile: Profile,
    *,
    actor: Actor | None = None,
    info: RequestInfo | None = None,
    expected: str | None = None,
) -> list[Change]:
    """Make the county what its profile says. Idempotent: a second run returns no change.

    ``expected`` is the fingerprint of the plan that was confirmed. Raises Conflict; Stale when the plan has changed.
    """
    changes = _run(runtime, profile, actor=actor, info=info, keep=True, expected=expected)
    runtime.directory.forget()
    return changes


def _run(
    runtime: Runtime,
    profile: Profile,
    *,
    actor: Actor | None,
    info: RequestInfo | None,
    keep: bool,
    expected: str | None,
) -> list[Change]:
    operator_id(runtime.engine, actor)
    with runtime.engine.connect() as connection, connection.begin() as outer:
        # What it read stays readable after its commit: another read would open a savepoint around all that follows.
        directory = Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        directory.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
        tenant = directory.scalars(select(Tenant).where(Tenant.slug == profile.slug)).one_or_none()
        _check_hosts(directory, tenant.id if tenant else None, profile)
        changes = _tenant_changes(directory, tenant, profile)
        values = {**_tenant_values(profile), "profile": snapshot(profile)}
        if tenant is None:
            tenant = Tenant(slug=profile.slug, kind=COUNTY, **values)
            directory.add(tenant)
        else:
            for key, value in values.items():
                setattr(tenant, key, value)
            tenant.version += 1 if changes else 0
        directory.flush()
        _sync_hosts(directory, tenant, profile)
        directory.commit()
        directory.close()
        changes += _apply_sections(runtime, connection, tenant, profile, actor)
        if expected is not None and expected != fingerprint(changes):
            raise Stale(_l("What you confirmed is no longer what would happen. Look at the new plan."))
        if changes and keep:
            _record(runtime, connection, tenant, changes, actor, info)
        if keep:
            outer.commit()
        else:
            outer.rollback()
    return changes


def _sync_hosts(session: Session, tenant: Tenant, profile: Profile) -> None:
    known = set(session.scalars(select(TenantHost.host).where(TenantHost.tenant_id == tenant.id)))
    for host in set(profile.hosts) - known:
        session.add(TenantHost(host=host, tenant_id=tenant.id))
    gone = known - set(profile.hosts)
    if gone:
        session.execute(delete(TenantHost).where(TenantHost.host.in_(gone), TenantHost.tenant_id == tenant.id))


def _apply_sections(
    runtime: Runtime, connection: Any, tenant: Tenant, profile: Profile, actor: Actor | None
) -> list[Change]:
    changes: list[Change] = []
    with Uow(connection, tenant_id=tenant.id, actor=visiting(actor, tenant.id)) as uow:
        runtime.keys.ensure(uow)
        # Plugins follow the core, whose sections say which of them are on.
        found = runtime.registry.each("profile_sections")
        for contributor, section in sorted(found, key=lambda pair: (not pair[0].core, pair[1].position)):
            if contributor.core:
                changes += section.apply(uow, profile, runtime.registry)
            elif contributor.key in enabled_names(uow) and runtime.registry.ready(contributor.key):
                changes += _plugin_section(uow, contributor, section, profile, runtime.registry)
    return changes


def _plugin_section(
    uow: Uow, contributor: Contributor, section: ProfileSection, profile: Profile, registry: Registry
) -> list[Change]:
    """Raises Conflict with the plugin's name when it fails: nothing of the profile may stand half applied."""
    try:
        changes = list(section.apply(uow, profile, registry))
        uow.session.flush()
    except XiangyueError:
        raise
    except Exception as error:
        raise Conflict(
            _l(
                "The plugin “%(plugin)s” failed at its part of the profile, so nothing was changed: %(error)s",
                plugin=contributor.key,
                error=told(error),
            )
        ) from error
    return changes


def _record(
    runtime: Runtime,
    connection: Any,
    tenant: Tenant,
    changes: list[Change],
    actor: Actor | None,
    info: RequestInfo | None,
) -> None:
    after = {"changes": len(changes), "first": [str(c) for c in changes[:50]]}
    with Uow(connection, tenant_id=tenant.id, actor=visiting(actor, tenant.id), info=info) as uow:
        audit(
            uow,
            action="tenant.apply",
            object_type="tenant",
            object_id=tenant.id,
            label=tenant.slug,
            after=after,
        )
    tell_operator(
        connection,
        action="tenant.apply",
        tenant_id=tenant.id,
        slug=tenant.slug,
        actor=actor,
        info=info,
        after=after,
    )


def ensure_operator(runtime: Runtime) -> int:
    """The operator's own tenant, made on first use; returns its id. Its roles come from the operator templates."""
    with Session(runtime.engine) as session, session.begin():
        tenant = session.scalars(select(Tenant).where(Tenant.kind == OPERATOR)).one_or_none()
        if tenant is None:
            tenant = Tenant(slug=operator.SLUG, kind=OPERATOR, name=operator.NAME, name_en=operator.NAME_EN)
            session.add(tenant)
            session.flush()
        tenant_id = tenant.id
    with runtime.uow(tenant_id) as uow:
        runtime.keys.ensure(uow)
    runtime.directory.forget()
    return tenant_id
