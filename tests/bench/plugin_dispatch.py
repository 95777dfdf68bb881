"""``plugin_dispatch``: the list of households, by API and as a page, in a county with twenty plugins on, against the
same county with none."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import delete, select

from bench.capture import request
from bench.load import fetch, in_turn
from bench.measure import Result, paired
from bench.over_http import LIST, OURS
from bench.servers import ROOT, Server, gunicorn
from bench.stage import ROLE, Stage
from xiangyue.access.models import Role
from xiangyue.plugin.models import TenantPlugin
from xiangyue.tenancy.enablement import plugins_changed

PLUGINS = 20
ROUNDS = 9
#: Requests of each kind to each side in a round.
TURNS = 100
PAGE = "/households?area=all"

#: Each has a page and its line of the navigation, a kind of job, rights, words, and listens to two events.
_SOURCE = """
from flask import Blueprint

from xiangyue.sdk.access import Permission, requires
from xiangyue.sdk.hooks import JobKind, Manifest, NavItem, hookimpl

NAME = "{name}"
MANIFEST = Manifest(name=NAME, label=NAME, summary="For a measurement.", core=">=1.0,<2", version="1.0")
VIEW = Permission(f"{{NAME}}.view", "See it")
bp = Blueprint(NAME, __name__)


@bp.get("/")
@requires(VIEW)
def home():
    return NAME


@hookimpl
def register_permissions():
    return (VIEW,)


@hookimpl
def register_role_templates():
    return {{role: frozenset({{VIEW.name}}) for role in ("county_admin", "town")}}


@hookimpl
def register_pages():
    return (bp,)


@hookimpl
def register_navigation():
    return (NavItem(NAME, NAME, f"{{NAME}}.home", VIEW, "people", "plug"),)


@hookimpl
def register_jobs():
    return (JobKind(f"{{NAME}}.recount", NAME, lambda context: None, permission=VIEW),)


@hookimpl
def register_audit_actions():
    return {{f"{{NAME}}.recount": NAME}}


@hookimpl
def household_change_happened(uow, household_id):
    pass


@hookimpl
def person_change_happened(uow, person_id):
    pass
"""


def plugin_dispatch(stage: Stage) -> Result:
    names = [f"dispatch{n:02}" for n in range(PLUGINS)]
    bearer = {"Authorization": f"Bearer {stage.bearer}"}
    cookie = {"Cookie": f"xy_session_{stage.settings.cookie_suffix}={stage.cookie}"}
    asked = (request(stage, LIST, bearer), request(stage, PAGE, cookie))
    with tempfile.TemporaryDirectory(prefix="xiangyue-bench-plugins-") as folder:
        write_distributions(Path(folder), names)
        path = f"{ROOT / 'core'}:{ROOT / 'tests'}"
        one = {"XIANGYUE_WEB_WORKERS": "1"}
        installed = {"XIANGYUE_PLUGINS": ",".join(names), "PYTHONPATH": f"{folder}:{path}"}
        with (
            gunicorn(OURS, stage.settings, **one, **installed) as ours,
            gunicorn(OURS, stage.settings, **one, XIANGYUE_PLUGINS="", PYTHONPATH=path) as none,
        ):
            switch_on(stage, names)
            _same(ours, none, asked)
            turns = _Turns((ours, none), asked)
            return paired(
                "plugin_dispatch",
                turns.ours,
                turns.reference,
                unit="ms",
                rounds=ROUNDS,
                larger_is_better=False,
                about={
                    "ours": f"{PLUGINS} plugins found as distributions and on in the county, each with rights, a page,"
                    " a line of the navigation, a kind of job and two events that it listens to; milliseconds for"
                    f" GET {LIST} with a bearer token and GET {PAGE} with a session together, medians of {TURNS}",
                    "reference": "the same requests to the same application without any plugin",
                    "load": "one keep-alive connection to each side, one worker; every request to one side is followed"
                    " by the same to the other, so that a busy machine is so for both",
                    **{key: value for key, value in stage.about.items() if key != "web workers"},
                },
            )


class _Turns:
    """Both sides are asked in turn, request by request; ``paired`` then gets one side after the other."""

    def __init__(self, servers: tuple[Server, Server], asked: tuple[bytes, bytes]) -> None:
        self.ports = [server.port for server in servers]
        self.asked = asked
        self.measured = (0.0, 0.0)

    def ours(self) -> float:
        total = [0.0, 0.0]
        for one in self.asked:
            for side, median in enumerate(in_turn(self.ports, one, TURNS)):
                total[side] += median
        self.measured = (total[0], total[1])
        return self.measured[0]

    def reference(self) -> float:
        return self.measured[1]


def write_distributions(folder: Path, names: list[str]) -> None:
    """Plugins on disk, as an installer would leave them."""
    for name in names:
        (folder / f"xiangyue_{name}.py").write_text(_SOURCE.format(name=name), "utf-8")
        facts = folder / f"xiangyue_{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: xiangyue-{name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[xiangyue.plugins]\n{name} = xiangyue_{name}\n")


def switch_on(stage: Stage, names: list[str]) -> None:
    """On in the county are these and no others, and those who have the roles have their rights."""
    with stage.runtime.uow(stage.county().id) as uow:
        role = uow.session.scalars(select(Role).where(Role.key == ROLE)).one()
        role.permissions = sorted({*role.permissions, *(f"{name}.view" for name in names)})
        plugins_changed(uow)
        uow.session.execute(delete(TenantPlugin))
        uow.session.add_all(TenantPlugin(name=n, enabled=True, settings={}, position=i) for i, n in enumerate(names, 1))


def _same(ours: Server, none: Server, asked: tuple[bytes, bytes]) -> None:
    """The plugins are there where they are installed, and the list itself is the same."""
    with_plugins, without = ([fetch(server.port, one) for one in asked] for server in (ours, none))
    for head, _body in (*with_plugins, *without):
        assert b" 200 " in head.split(b"\r\n", 1)[0], head
    assert with_plugins[0][1] == without[0][1], "the two sides answer different lists"
    assert b"/p/dispatch19/" in with_plugins[1][1]
    assert b"/p/dispatch" not in without[1][1]
