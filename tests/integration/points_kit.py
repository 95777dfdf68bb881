"""A planted plugin ``probe`` that is on in one county and off in the other, for the tests of the core's points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Blueprint
from sqlalchemy import delete, event, select
from tests.plugins_kit import planted, switch

from xiangyue.access.models import Account, Role, RoleGrant
from xiangyue.app import create_app
from xiangyue.plugin import faults as module_of_faults
from xiangyue.plugin.dispatch import unpause
from xiangyue.plugin.models import PluginFault
from xiangyue.testing.fixtures import County
from xiangyue.web.access import signed_in

LABEL = "Plugin probe"


@contextmanager
def probe(county: County, **hooks: Any) -> Iterator[None]:
    """The plugin, installed for all and on in ``county``; its faults go with it."""
    with planted(county.runtime, "probe", **hooks) as installed:
        assert installed.ready, str(installed.reason)
        switch(county, "probe")
        try:
            yield
        finally:
            switch(county, "probe", enabled=False)
            with county.uow() as uow:
                uow.session.execute(delete(PluginFault))
                unpause(uow, "probe")
            module_of_faults._written.clear()


@signed_in
def home() -> str:
    """A page of its own, where its line of the navigation leads."""
    return "home of it"


@contextmanager
def drawing(county: County, folder: Path, templates: Mapping[str, str], **hooks: Any) -> Iterator[County]:
    """The same with templates in its folder ``probe/``; gives the county with an application that has them."""
    for name, source in templates.items():
        path = folder / "probe" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
    pages = Blueprint("probe", "points_kit", template_folder=str(folder))
    pages.add_url_rule("/", "home", home)
    with probe(county, register_pages=(pages,), **hooks):
        app = create_app(runtime=county.runtime)
        app.testing = False
        yield County(county.runtime, app, county.info)


def faults(county: County) -> dict[str, str]:
    """Hook -> error of what the plugin did wrong here."""
    with county.uow() as uow:
        return {f.hook: f.error for f in uow.session.scalars(select(PluginFault).order_by(PluginFault.id))}


def holder(county: County, *grants: tuple[str, int], **permissions: int) -> Account:
    """An account with roles in areas, and single permissions (``plugin__view`` is plugin.view) in areas."""
    account = county.account(None)
    with county.uow() as uow:
        for key, area in grants:
            role_id = uow.session.scalars(select(Role.id).where(Role.key == key)).one()
            uow.session.add(RoleGrant(account_id=account.id, role_id=role_id, area_code=area))
        for name, area in permissions.items():
            role = Role(key=f"only{account.id}{name}", name=name, permissions=[name.replace("__", ".")])
            uow.session.add(role)
            uow.session.flush()
            uow.session.add(RoleGrant(account_id=account.id, role_id=role.id, area_code=area))
    return account


@contextmanager
def counted(county: County) -> Iterator[list[str]]:
    """The statements that reach the database; the one that finds the county of a host always among those of a page,
    not only where two seconds have passed since the last."""
    seen: list[str] = []
    county.runtime.directory.forget()

    def on_execute(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(county.runtime.engine, "before_cursor_execute", on_execute)
    try:
        yield seen
    finally:
        event.remove(county.runtime.engine, "before_cursor_execute", on_execute)
