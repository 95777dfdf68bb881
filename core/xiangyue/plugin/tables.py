"""Which tables and mapped classes came with a plugin's import; those that are not its own are taken out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.orm import Mapper, RelationshipProperty

from xiangyue.db.base import Base, TenantOwned
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.installed import broken, refuse, told


def _shapes() -> dict[str, tuple[str, ...]]:
    return {key: tuple(table.columns.keys()) for key, table in Base.metadata.tables.items()}


@dataclass
class Tables:
    """Tables and mapped classes as they were when this was made."""

    known: dict[str, tuple[str, ...]] = field(default_factory=_shapes)
    mapped: frozenset[Mapper[Any]] = field(default_factory=lambda: frozenset(Base.registry.mappers))

    def new(self) -> list[Table]:
        """Without the core's own, which a plugin may be the first to import."""
        owners = _owners()
        found = [table for key, table in Base.metadata.tables.items() if key not in self.known]
        return [t for t in found if t not in owners or not _inside(owners[t].__module__, "xiangyue")]

    def check(self, schema: str, package: str) -> None:
        """Refuse new tables outside ``schema`` or without a county, and classes on the core's own base.

        ``package`` is where the plugin's modules lie: tables of another plugin that it imported are that one's matter.
        """
        intruders = sorted(m.class_.__name__ for m in self._on_core_base())
        if intruders:
            raise refuse(_l("Class %(key)s stands on the core's base; use plugin_base().", key=", ".join(intruders)))
        now = _shapes()
        changed = sorted(key for key, columns in self.known.items() if now.get(key) != columns)
        if changed:
            raise refuse(_l("It changes the table %(key)s, which is not its own.", key=", ".join(changed)))
        owners = _owners()
        for table in self.new():
            owner = owners.get(table)
            if owner is not None and not _inside(owner.__module__, package):
                continue
            _check_table(table, owner, schema)
        for owner in {owners[table] for table in self.new() if table in owners}:
            _check_mapper(owner)

    def undo(self) -> None:
        """Take the new tables and classes out again, so that the core's mappers never meet them."""
        new, owners = self.new(), _owners()
        for registry in {owners[table].__mapper__.registry for table in new if table in owners} - {Base.registry}:
            registry.dispose(cascade=True)
        for table in new:
            Base.metadata.remove(table)
        for key, columns in self.known.items():
            table = Base.metadata.tables[key]
            for added in [column for name, column in table.columns.items() if name not in columns]:
                table._columns.remove(added)
        for mapper in self._on_core_base():
            manager = mapper.class_manager
            Base.registry._managers.pop(manager, None)
            Base.registry._dispose_manager_and_mapper(manager)

    def _on_core_base(self) -> list[Mapper[Any]]:
        new = [m for m in Base.registry.mappers if m not in self.mapped]
        return [m for m in new if not _inside(m.class_.__module__, "xiangyue")]


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _subclasses(cls: type) -> Iterator[type]:
    found: type
    for found in cls.__subclasses__():
        yield found
        yield from _subclasses(found)


def _owners() -> dict[Table, Any]:
    """Table -> the mapped class that brought it."""
    found: dict[Table, Any] = {}
    roots: tuple[type, ...] = (TenantOwned, Base)
    for base in roots:
        for cls in _subclasses(base):
            mapper = cls.__dict__.get("__mapper__")
            if mapper is not None and isinstance(mapper.local_table, Table):
                found.setdefault(mapper.local_table, cls)
    return found


def _check_table(table: Table, owner: Any, schema: str) -> None:
    if table.schema != schema:
        raise refuse(_l("Table %(key)s must lie in the schema %(wanted)s.", key=table.fullname, wanted=schema))
    if owner is None or not issubclass(owner, TenantOwned):
        raise refuse(_l("Table %(key)s belongs to no county: its class must be TenantOwned.", key=table.fullname))
    parts: list[Any] = [*table.constraints, *table.indexes]
    for constraint in parts:
        names = [c.name for c in constraint.columns]
        whole = True
        if isinstance(constraint, ForeignKeyConstraint):
            targets = [element.target_fullname for element in constraint.elements]
            referred = Base.metadata.tables.get(targets[0].rpartition(".")[0])
            owned = referred is None or "tenant_id" in referred.columns
            whole = not owned or any(t.endswith(".tenant_id") for t in targets)
        elif isinstance(constraint, UniqueConstraint) or (isinstance(constraint, Index) and constraint.unique):
            whole = names[:1] == ["tenant_id"]
        if not whole:
            raise refuse(
                _l(
                    "In table %(key)s a key or reference lacks tenant_id: %(list)s.",
                    key=table.fullname,
                    list=", ".join(names),
                )
            )


def _check_mapper(owner: Any) -> None:
    """Relationships may look at the core's classes, not write themselves into them; and they must work."""
    for prop in owner.__mapper__._props.values():
        if isinstance(prop, RelationshipProperty) and (prop.backref or prop.back_populates):
            target = prop.argument
            target = target() if callable(target) and not isinstance(target, type) else target
            if prop.backref or getattr(target, "registry", None) is Base.registry:
                raise refuse(
                    _l(
                        "Relationship %(key)s would write itself into another class.",
                        key=f"{owner.__name__}.{prop.key}",
                    )
                )
    try:
        owner.__mapper__.registry.configure()
    except Exception as error:
        raise broken(_l("Its mapped classes do not fit together: %(detail)s", detail=told(error))) from error
