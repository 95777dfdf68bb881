"""Which plugins a county has on.

Asked by every request, so the answer is remembered in the process, under the county's ``plugins_version``: that comes
with the statement that finds who is asking, and every change of plugins raises it.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import Engine, update

from xiangyue.db.sql import scoped_rows
from xiangyue.db.uow import Uow
from xiangyue.tenancy.models import Tenant

Names = tuple[str, ...]

#: Engine (tests have several databases) -> tenant -> (version, names).
_remembered: WeakKeyDictionary[Engine, dict[int, tuple[int, Names]]] = WeakKeyDictionary()
_KNOWN = "enabled_plugins"
_CHANGED = "plugins_changed"

_READ = """
SELECT t.plugins_version, p.name
  FROM tenant t LEFT JOIN tenant_plugin p ON {tenant:p} AND p.tenant_id = t.id AND p.enabled
 WHERE t.id = :tenant
 ORDER BY p.position, p.id
"""


def enabled_names(uow: Uow) -> Names:
    """Names of the plugins that are on in the county, in their order; also those that are not installed here."""
    info = uow.session.info
    if info.get(_CHANGED):
        # What this transaction itself changed may be rolled back, and its number given again.
        uow.session.flush()
        return _read(uow)[1]
    names: Names | None = info.get(_KNOWN)
    if names is None:
        names = info[_KNOWN] = _find(uow)
    return names


def _find(uow: Uow) -> Names:
    by_tenant = _remembered.setdefault(uow.bind.engine, {})
    known = by_tenant.get(uow.tenant_id)
    if known is not None and known[0] == uow.plugins_version:
        return known[1]
    version, names = _read(uow)
    uow.plugins_version = version
    if known is None or known[0] <= version:
        by_tenant[uow.tenant_id] = (version, names)
    return names


def _read(uow: Uow) -> tuple[int, Names]:
    rows = scoped_rows(uow.session, _READ, {"tenant": uow.tenant_id})
    return (rows[0][0] if rows else 0), tuple(name for _version, name in rows if name is not None)


def plugins_changed(uow: Uow) -> None:
    """Tell all processes, by the version, and this unit of work. Call it before reading the rows that will change: it
    locks the county's row, so that two changes of its plugins take turns."""
    uow.session.flush()
    statement = update(Tenant).where(Tenant.id == uow.tenant_id).values(plugins_version=Tenant.plugins_version + 1)
    uow.session.execute(statement, execution_options={"synchronize_session": False})
    uow.session.info[_CHANGED] = True
