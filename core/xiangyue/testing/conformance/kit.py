"""What the conformance tests work with: the plugin, on in two counties, with rows of households in both."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, Table, create_engine, insert, select, text
from werkzeug.routing import Rule

from xiangyue.access.actor import system_actor
from xiangyue.access.models import Role, RoleGrant
from xiangyue.db.base import Base, TenantOwned, mappers
from xiangyue.db.uow import Uow
from xiangyue.features.areas.models import VILLAGE, Area
from xiangyue.features.households.models import Household, Person
from xiangyue.features.plugins.service import switch_plugin
from xiangyue.plugin.addresses import api_prefix, pages_prefix
from xiangyue.plugin.installed import Installed
from xiangyue.plugin.models import PluginFault
from xiangyue.testing import twins
from xiangyue.testing.fixtures import County
from xiangyue.web.access import AccessMark, mark_of

_numbers = itertools.count(7_001)
#: In the name of every household that the kit makes, so that a page where it may not stand is found out.
WORD = "kitfolk"


@dataclass(frozen=True, slots=True)
class Laid:
    """Households (ids, names of their heads) with the plugin's rows.

    ``values``: for the variables of its addresses, those of the last one.
    """

    households: tuple[int, ...]
    names: tuple[str, ...]
    values: Mapping[str, Any]


@dataclass
class Kit:
    """``on`` and ``other``: two counties where the plugin is on. ``name``: the plugin's."""

    name: str
    on: County
    other: County
    app: Any
    laid: dict[str, Laid] = field(default_factory=dict)

    # --- the plugin ----------------------------------------------------------------------------------------

    @property
    def installed(self) -> Installed | None:
        found: Installed | None = self.on.runtime.registry.installed.get(self.name)
        return found

    @property
    def plugin(self) -> Installed:
        """The plugin taken in; a test of one that was not is not run (``test_it_is_taken_in`` says why)."""
        found = self.installed
        if found is None or not found.ready:
            pytest.skip("the plugin was not taken in")
        return found

    @property
    def package(self) -> str:
        module = self.plugin.module
        assert module is not None
        return module.__name__.partition(".")[0]

    @property
    def folder(self) -> Path:
        """Where its package lies."""
        file = importlib.import_module(self.package).__file__
        assert file is not None
        return Path(file).parent

    @property
    def tests(self) -> Path | None:
        """The folder of its own tests, where its project lies beside its package."""
        for above in list(self.folder.parents)[:3]:
            if (above / "pyproject.toml").exists() and (above / "tests").is_dir():
                return above / "tests"
        return None

    def offered(self, attribute: str) -> Sequence[Any]:
        contributor = self.plugin.contributor
        assert contributor is not None
        found: Sequence[Any] = contributor.offered.get(attribute, ())
        return found

    def tables(self) -> list[Table]:
        """Its tables, those that others refer to first."""
        own = {m.local_table for m in mappers() if issubclass(m.class_, TenantOwned)}
        return [t for t in Base.metadata.sorted_tables if t in own and t.schema == f"plugin_{self.name}"]

    # --- households and the plugin's rows -------------------------------------------------------------------

    def lay(self, key: str, county: County, *, rows: int = 1, village: int = 0) -> Laid:
        """Households in a village of the county (the n-th town's first), with the plugin's rows; once for each key."""
        if key not in self.laid:
            with county.uow() as uow:
                area = villages(uow)[village]
                made = [_household(uow, area) for _ in range(rows)]
                households = tuple(household.id for household in made)
                values = {"household_id": households[-1], **self._rows(uow, households)}
                self.laid[key] = Laid(households, tuple(household.head_name for household in made), values)
        return self.laid[key]

    def _rows(self, uow: Uow, households: Sequence[int]) -> Mapping[str, Any]:
        """By the plugin's own ``samples.lay(uow, household_ids)`` where it has one, else made from its columns."""
        try:
            samples = importlib.import_module(f"{self.package}.samples")
        except ModuleNotFoundError as missing:
            if missing.name != f"{self.package}.samples":
                raise
            for household in households:
                made: dict[str, int] = {}
                for table in self.tables():
                    made[table.fullname] = _generic_row(uow, table, household, made)
            return {"id": next(iter(made.values())), "key": f"{WORD}{households[-1]}key"} if made else {}
        values: Mapping[str, Any] = samples.lay(uow, list(households))
        return values

    def owner(self) -> Engine:
        """An engine of the owning role; dispose of it."""
        url = self.on.runtime.settings.migration_database_url
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))

    def digest(self, county: County) -> dict[str, str]:
        """A digest of each of its tables in a county, without the columns that tell when and how often."""
        found = {}
        engine = self.owner()
        with engine.connect() as connection:
            for table in self.tables():
                columns = [c.name for c in table.columns if c.name not in ("updated_at", "version")]
                row = ", ".join(f't."{name}"' for name in columns)
                statement = text(
                    f"SELECT md5(coalesce(string_agg(ROW({row})::text, chr(10) ORDER BY t.id), ''))"  # noqa: S608
                    f" FROM {table.fullname} t WHERE t.tenant_id = :tenant"
                )
                found[table.name] = connection.execute(statement, {"tenant": county.info.id}).scalar_one()
        engine.dispose()
        return found

    # --- who asks -------------------------------------------------------------------------------------------

    def client(
        self, county: County, *, rights: bool = True, area: int | None = None, locale: str = "zh"
    ) -> FlaskClient:
        """Somebody with every right there is (or none) in an area (the whole county)."""
        account = county.account(None, locale=locale)
        names = sorted(county.runtime.registry.permissions.names("county")) if rights else []
        with county.uow() as uow:
            role = Role(key=f"kit{account.id}", name="kit", permissions=names)
            uow.session.add(role)
            uow.session.flush()
            code = county.info.area_code if area is None else area
            uow.session.add(RoleGrant(account_id=account.id, role_id=role.id, area_code=code))
        return county.client(account)

    def village(self, county: County, number: int) -> int:
        with county.uow() as uow:
            return villages(uow)[number]

    @contextmanager
    def switched_off(self, county: County) -> Iterator[None]:
        switch(county, self.name, False)
        try:
            yield
        finally:
            switch(county, self.name, True)

    # --- its addresses --------------------------------------------------------------------------------------

    def rules(self, *methods: str) -> list[tuple[Rule, str, AccessMark]]:
        """(rule, method, access mark) of each of its addresses; with ``methods`` only these."""
        prefixes = (f"{pages_prefix(self.name)}/", f"{api_prefix(self.name)}/")
        found = []
        for rule in self.app.url_map.iter_rules():
            mark = mark_of(self.app.view_functions[rule.endpoint])
            if mark is not None and rule.rule.startswith(prefixes):
                wanted = (rule.methods or set()) - {"HEAD", "OPTIONS"}
                found += [(rule, m, mark) for m in wanted if not methods or m in methods]
        return sorted(found, key=lambda item: (item[0].rule, item[1]))

    def address(self, rule: Rule, method: str, values: Mapping[str, Any]) -> str:
        """The rule with its variables filled in. Fails with the variable for which there is no value."""
        given = {}
        for name in rule.arguments:
            value = values.get(name, values["household_id"] if name.endswith("household") else None)
            assert value is not None, (
                f"{rule.rule}: no value for <{name}>; return one from lay() of {self.package}.samples"
            )
            given[name] = value
        path: str = self.app.url_map.bind(self.on.host).build(rule.endpoint, given, method=method)
        return path

    def arguments(self, rule: Rule) -> set[str]:
        """Names of the query arguments that an address of the API declares."""
        given = getattr(self.app.view_functions[rule.endpoint], "_apidoc", {}).get("arguments", {})
        found: set[str] = set()
        for parameter in given.get("parameters", []):
            schema = parameter.get("schema") if parameter.get("in") == "query" else None
            if schema is not None:
                made = schema() if isinstance(schema, type) else schema
                found |= {field.data_key or name for name, field in made.fields.items()}
        return found

    def ask(self, client: FlaskClient, rule: Rule, method: str, path: str) -> Any:
        """One request with all that a real one carries: CSRF token, If-Match, a body that the schema takes."""
        headers = {"If-Match": '"1"', "X-CSRF-Token": self._csrf(client)}
        body: dict[str, Any] = {"headers": headers}
        if method != "GET":
            if path.startswith("/api/"):
                body["json"] = _body(self.app.view_functions[rule.endpoint])
            else:
                body["data"] = {"version": "1", "csrf_token": headers["X-CSRF-Token"]}
        answer = client.open(path, method=method, **body)
        answer.get_data()
        return answer

    def _csrf(self, client: FlaskClient) -> str:
        suffix = self.on.runtime.settings.cookie_suffix
        cookie = client.get_cookie(f"xy_session_{suffix}", domain=getattr(client, "host", ""))
        secret = cookie.value if cookie is not None else ""
        return hmac.new(b"xiangyue csrf", secret.encode(), hashlib.sha256).hexdigest()

    def faults(self, county: County) -> list[str]:
        """What the plugin did wrong so far, as its page shows it."""
        with county.uow() as uow:
            rows = uow.session.scalars(select(PluginFault).where(PluginFault.plugin == self.name))
            return [f"{row.hook}: {row.error}" for row in rows]


def none_of(faults: Iterable[str]) -> None:
    """Fail with every fault on a line of its own."""
    found = list(faults)
    assert not found, "\n" + "\n".join(found)


def switch(county: County, name: str, enabled: bool) -> None:
    actor = system_actor(county.info.id, "kit")
    with county.uow(actor) as uow:
        switch_plugin(uow, name=name, enabled=enabled)


def villages(uow: Uow) -> list[int]:
    """The first village of each town, in order."""
    found: dict[int, int] = {}
    statement = select(Area.parent_code, Area.area_code).where(Area.level == VILLAGE).order_by(Area.area_code)
    for town, village in uow.session.execute(statement):
        found.setdefault(town, village)
    return list(found.values())


def _household(uow: Uow, area: int) -> Household:
    number = next(_numbers)
    name = f"{WORD}{number}"
    household = Household(area_code=area, code=f"{area // 1000}{number:04}", head_name=name, sort_key=name)
    household.person_count = 1
    uow.session.add(household)
    uow.session.flush()
    uow.session.add(Person(area_code=area, household_id=household.id, name=name, sort_key=name, relation="02"))
    uow.session.flush()
    return household


def _generic_row(uow: Uow, table: Table, household: int, made: Mapping[str, int]) -> int:
    """A row of the household, with references to the rows ``made`` for it in other tables; returns its id."""
    values = {c.name: twins.sample_value(table, c, household, WORD) for c in table.columns if c.name != "id"}
    for column in table.columns:
        for key in column.foreign_keys:
            target = key.target_fullname.rpartition(".")[0]
            values[column.name] = made.get(target, household)
    values["tenant_id"] = uow.tenant_id
    if "area_code" in values:
        values["area_code"] = uow.get(Household, household).area_code
    if "person_id" in values:
        values["person_id"] = uow.session.scalars(select(Person.id).where(Person.household_id == household)).first()
    kept = {key: value for key, value in values.items() if value is not twins.DEFAULT}
    statement = insert(table).values(kept).returning(table.c.id)
    return int(uow.session.connection().execute(statement).scalar_one())


def _body(view: Any) -> dict[str, Any]:
    for parameter in getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", []):
        if parameter["in"] == "json":
            schema = parameter["schema"]
            return twins.sample_body(schema() if isinstance(schema, type) else schema)
    return {}
