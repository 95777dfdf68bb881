"""A plugin's tables and migrations, and what its hooks do when they are told twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, select, text

from xiangyue.access.actor import system_actor
from xiangyue.db.plugin_migrate import MigrationFault, PluginTables, migrate_plugin
from xiangyue.db.uow import RequestInfo, Uow
from xiangyue.errors import Refused
from xiangyue.features.areas.models_change import KINDS as AREA_KINDS
from xiangyue.features.households.models import Person
from xiangyue.i18n import today
from xiangyue.plugin.dispatch import implementations
from xiangyue.plugin.follows import follow_rows, unfollow_rows
from xiangyue.plugin.migrations import tables_of
from xiangyue.testing.conformance.facts import told_hooks
from xiangyue.testing.conformance.kit import Kit, Laid, none_of
from xiangyue.testing.statements import SEEN, statement_faults
from xiangyue.testing.tables import table_faults

_PLACE = re.compile(r"\{(?:scope|tenant):([a-z_][a-z0-9_]*)\}")
_PARAMETER = re.compile(r"(?<!:):[A-Za-z_][A-Za-z0-9_]*")


class TableTests:
    def test_tables_are_fenced(self, kit: Kit) -> None:
        """Row-level security, keys led by tenant_id, references with it, no triggers."""
        own = {table.name for table in kit.tables()}
        engine = kit.owner()
        with engine.connect() as connection:
            faults = [f for f in table_faults(connection) if f.partition(":")[0] in own | _in_schema(connection, kit)]
        engine.dispose()
        none_of(faults)

    def test_migrations_go_up_and_down_and_fit_the_models(self, kit: Kit) -> None:
        """Up makes what the models say, down leaves nothing, and up works again."""
        tables = tables_of(kit.plugin)
        assert tables is not None or not kit.tables(), "it has tables and no migrations"
        if tables is None:
            return
        engine = kit.owner()
        try:
            with engine.connect() as connection:
                none_of(differences(connection, kit))
            _move(engine, tables, "base", "the way down failed")
            with engine.connect() as connection:
                none_of(_left(connection, kit))
            _move(engine, tables, "head", "the way up again failed")
        finally:
            engine.dispose()
            kit.laid.clear()  # the rows went with the tables

    def test_told_twice_is_told_once(self, kit: Kit) -> None:
        """``*_happened`` hooks come at least once: the second time changes no row."""
        contributor = kit.plugin.contributor
        assert contributor is not None
        laid, faults = kit.lay("on", kit.on), []
        for hook in told_hooks(contributor):
            for arguments in _occasions(kit, hook, laid):
                after = []
                for _time in ("first", "again"):
                    actor = system_actor(kit.on.info.id, kit.name)
                    with kit.on.runtime.uow(
                        kit.on.info.id, actor=actor, info=RequestInfo(request_id="the same event")
                    ) as uow:
                        implementations(contributor)[hook](uow=uow, **arguments)
                    after.append(kit.digest(kit.on))
                changed = sorted(name for name in after[0] if after[0][name] != after[1][name])
                faults += [f"{hook}({_shown(arguments)}) told twice: other rows in {name}" for name in changed]
        none_of(faults)

    def test_rows_that_follow_come_back(self, kit: Kit) -> None:
        """What ``register_follows`` names goes to another person or household and comes back as it was."""
        kinds = {item.of for item in kit.offered("follows")}
        if not kinds:
            return
        laid, before = kit.lay("follows", kit.on, rows=2), kit.digest(kit.on)
        with kit.on.uow() as uow:
            persons = {
                home: uow.session.scalars(select(Person.id).where(Person.household_id == home)).first()
                for home in laid.households
            }
            for of in kinds:
                old, new = laid.households if of == "household" else persons.values()
                assert old is not None
                assert new is not None
                try:
                    moved = follow_rows(uow, of=of, old=old, new=new)
                except Refused as stays:
                    raise AssertionError(f"rows of a {of} do not go along: {stays}") from stays
                none_of(f"{key}: {ids} stayed behind" for key, ids in follow_faults(uow, of, old, new, moved))
        none_of(f"{name}: other rows than before" for name, was in before.items() if was != kit.digest(kit.on)[name])

    @pytest.mark.last
    def test_every_statement_names_the_county(self, kit: Kit) -> None:
        """Of all that was asked of its tables by all its tests: each table in it with ``tenant_id = …``."""
        schema = f"plugin_{kit.name}."
        none_of(statement_faults({s for s in SEEN if schema in s}))

    def test_conditions_and_rules_name_the_county(self, kit: Kit) -> None:
        """SQL that the core puts into statements of its own, the household list's and a classifier's: the same there,
        for the core's tables too."""
        faults = []
        with kit.on.uow() as uow:
            for item in kit.offered("household_filters"):
                for value, _label in item.choices(uow):
                    found = open_tables_of(condition_sql(item.condition(uow, str(value))[0]))
                    faults += [f"condition {item.key}={value}: {fault}" for fault in found]
            for classifier in kit.offered("classifiers"):
                found = open_tables_of(classifier.propose(uow, today()).sql)
                faults += [f"classifier {classifier.key}: {fault}" for fault in found]
        none_of(faults)


def follow_faults(uow: Uow, of: str, old: int, new: int, moved: Mapping[str, list[int]]) -> list[tuple[str, list[int]]]:
    """Rows that cannot be put back where they were."""
    return list(unfollow_rows(uow, of=of, old=old, new=new, moved=moved).items())


def condition_sql(condition: str) -> str:
    """A condition as it stands in the household list."""
    return f"SELECT h.id FROM household h WHERE {{scope:h}} AND ({condition})"  # noqa: S608 - read, never run


def open_tables_of(sql: str) -> list[str]:
    """Tables that no ``{tenant:alias}`` or ``{scope:alias}`` closes; other braces stay and are unreadable."""
    closed = _PLACE.sub(r"\1.tenant_id = 0", sql)
    return statement_faults([_PARAMETER.sub("0", closed)])


def differences(connection: Connection, kit: Kit) -> list[str]:
    """What the database has otherwise than the models, in the plugin's schema."""
    schema = f"plugin_{kit.name}"

    def included(name: str | None, kind: str, parents: Any) -> bool:
        return name == schema if kind == "schema" else True

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_schemas": True, "include_name": included}
    )
    metadata = kit.tables()[0].metadata if kit.tables() else None
    if metadata is None:
        return []
    return [_told(d) for d in compare_metadata(context, metadata) if _schema_of(d) == schema]


def _schema_of(difference: Any) -> str | None:
    """Alembic says it in a different place for each kind of difference."""
    kind, subject = (difference[0] if isinstance(difference, list) else difference)[:2]
    if isinstance(subject, str | None) and not kind.endswith(("_table", "_index", "_constraint", "_fk")):
        return subject
    found: str | None = getattr(getattr(subject, "table", subject), "schema", None)
    return found


def _told(difference: Any) -> str:
    parts = difference[0] if isinstance(difference, list) else difference
    return " ".join(str(part) for part in parts)[:200]


def _move(engine: Engine, tables: PluginTables, revision: str, said: str) -> None:
    try:
        migrate_plugin(engine, tables, revision)
    except MigrationFault as fault:
        raise AssertionError(f"{said}: {fault}") from fault


def _in_schema(connection: Connection, kit: Kit) -> set[str]:
    found = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": f"plugin_{kit.name}"}
    )
    return set(found.scalars())


def _left(connection: Connection, kit: Kit) -> list[str]:
    schemas = connection.execute(
        text("SELECT nspname FROM pg_namespace WHERE nspname = :schema"), {"schema": f"plugin_{kit.name}"}
    ).scalars()
    version = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE :name"),
        {"name": f"plugin_{kit.name}_%"},
    ).scalars()
    return [f"schema {name} is left" for name in schemas] + [f"table {name} is left" for name in version]


def _occasions(kit: Kit, hook: str, laid: Laid) -> list[dict[str, Any]]:
    """Arguments under which a hook is called: every action or state that may come, for a household with rows."""
    household = laid.households[-1]
    if hook == "plugin_switch_happened":
        return [{"enabled": True}, {"enabled": False}]
    if hook == "import_commit_happened":
        return [{"batch_id": 1}]
    if hook == "post_change_happened":
        verbs = ("add", "edit", "end", "remove")
        return [{"organisation_id": 1, "holder_id": 1, "person_id": 0, "action": f"post_holder.{v}"} for v in verbs]
    if hook == "grid_leader_happened":
        return [{"grid_id": 1, "post_id": 1, "action": action} for action in ("grid.appoint", "grid.end_post")]
    if hook == "callout_happened":
        acts = ("callout.send", "callout.escalate", "callout.end")
        return [{"callout_id": 1, "action": a, "message": "x", "drill": False, "person_ids": []} for a in acts]
    if hook == "household_group_happened":
        done = ("create", "members", "follow", "undo", "head")
        return [{"group_id": 1, "change_id": 0, "action": f"household_group.{verb}"} for verb in done]
    if hook == "grid_change_happened":
        return [{"change_id": 1, "area_code": 0, "action": action} for action in ("grid.plan", "grid.undo")]
    if hook == "area_change_happened":
        return [{"change_id": 1, "kind": kind, "undone": undone} for kind in AREA_KINDS for undone in (False, True)]
    if hook == "household_change_happened":
        actions = ("household.edit", "household.move", "household.close", "household.reopen", "household.income")
        return [{"household_id": household, "action": action} for action in actions]
    if hook == "household_merge_happened":
        return [{"household_id": household, "merged_id": household, "undone": undone} for undone in (False, True)]
    if hook == "person_merge_happened":
        return [{"person_id": 1, "merged_id": 2, "undone": undone} for undone in (False, True)]
    if hook == "person_change_happened":
        with kit.on.uow() as uow:
            person = uow.session.scalars(select(Person.id).where(Person.household_id == household)).first()
        actions = ("person.add", "person.edit", "person.leave", "mark.add", "mark.end")
        return [{"person_id": person or 0, "household_id": household, "action": a} for a in actions]
    known = [(c.key, o.key) for c in kit.offered("classifiers") for o in c.outcomes] or [("other.rule", "yes")]
    return [
        {"classifier": classifier, "household_id": household, "outcome": outcome, "state": state}
        for classifier, outcome in known
        for state in ("proposed", "in_force")
    ]


def _shown(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items() if key not in ("household_id", "person_id"))
