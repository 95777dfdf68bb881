"""A plugin's blueprints are tried on an application that serves nobody: what they do there is looked at.

Blueprints carry functions that run when they are registered, so nothing but registering them tells what they do. Only
those that kept to their own addresses, with an access mark on every view, reach the real application.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from flask import Flask

from xiangyue.access.permissions import Permission
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.addresses import api_prefix, pages_prefix
from xiangyue.plugin.claims import check_registered
from xiangyue.plugin.installed import Fault, broken, refuse, told
from xiangyue.plugin.offer import Offer

#: Functions of the whole application, by attribute of Flask: a dict whose key None is "for every request".
_BY_SCOPE = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
    "error_handler_spec",
)
_WHOLE = ("teardown_appcontext_funcs", "shell_context_processors", "url_build_error_handlers", "extensions", "config")
_JINJA = ("filters", "tests", "globals")


def try_out(name: str, offered: Mapping[str, Any], others: Offer) -> None:
    """Register the plugin's blueprints on a scratch application and look at the result. Raises Fault."""
    if not offered.get("pages") and not offered.get("api"):
        _check_navigation(name, offered, Flask("trial", static_folder=None))
        return
    app = Flask("trial", static_folder=None)
    app.config.update(API_TITLE="trial", API_VERSION="0", OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX=None)
    before: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            api = _api(app) if offered.get("api") else None
            before = _state(app)
            for blueprint in offered.get("pages", ()):
                app.register_blueprint(blueprint, url_prefix=pages_prefix(name))
            for blueprint in offered.get("api", ()):
                assert api is not None
                api.register_blueprint(blueprint, url_prefix=api_prefix(name))
    except Fault:
        raise
    except Exception as error:
        raise broken(_l("Its pages or API could not be registered: %(detail)s", detail=told(error))) from error
    _check_whole(name, app, before)
    _check_routes(name, offered, others, app)
    _check_navigation(name, offered, app)


def _api(app: Flask) -> Any:
    from flask_smorest import Api

    class TrialApi(Api):  # type: ignore[misc]
        def _register_error_handlers(self) -> None:
            """Like the real one."""

    return TrialApi(app)


def _state(app: Flask) -> dict[str, Any]:
    """What belongs to the whole application, to be compared afterwards."""
    state: dict[str, Any] = {}
    for attribute in _BY_SCOPE:
        for scope, value in getattr(app, attribute).items():
            state[f"{attribute} {scope or ''}".strip()] = repr(value)
    for attribute in _WHOLE:
        # Extensions and settings that were there keep their place; what is inside (smorest's names) may grow.
        value = getattr(app, attribute)
        state[attribute] = sorted(value) if isinstance(value, dict) else repr(value)
    for attribute in _JINJA:
        state[f"jinja_env.{attribute}"] = {k: id(v) for k, v in getattr(app.jinja_env, attribute).items()}
    return state


def _check_whole(name: str, app: Flask, before: dict[str, Any]) -> None:
    for key, value in _state(app).items():
        attribute, _space, scope = key.partition(" ")
        own = scope.split(".")[0]
        if own in _blueprints(app) or (key not in before and value in ("{}", "[]")):
            continue
        # Asking Flask for error handlers makes empty places in the table.
        if attribute == "error_handler_spec" and _empty(app.error_handler_spec.get(scope or None, {})):
            continue
        if before.get(key) != value:
            raise refuse(
                _l("It changes the whole application (%(what)s); it may only serve its own addresses.", what=attribute)
            )


def _empty(spec: Any) -> bool:
    return not any(spec.values())


def _blueprints(app: Flask) -> set[str]:
    return {name.split(".")[0] for name in app.blueprints}


def _check_routes(name: str, offered: Mapping[str, Any], others: Offer, app: Flask) -> None:
    own = {p.name: p for p in offered.get("permissions", ())}
    prefixes = (pages_prefix(name), api_prefix(name))
    for rule in app.url_map.iter_rules():
        inside = any(rule.rule == prefix or rule.rule.startswith(f"{prefix}/") for prefix in prefixes)
        if not inside or rule.subdomain or rule.host:
            raise refuse(_l("Address %(key)s is not under %(wanted)s/.", key=rule.rule, wanted=" or ".join(prefixes)))
        if rule.rule.startswith(f"{prefixes[0]}/static/") or rule.endpoint.endswith(".static"):
            raise refuse(
                _l("Static files come from the manifest's folder, not from a blueprint: %(key)s.", key=rule.rule)
            )
    for endpoint, view in app.view_functions.items():
        mark = getattr(view, "__access__", None)
        if mark is None:
            raise refuse(_l("View %(key)s does not say who may reach it (requires, signed_in, public).", key=endpoint))
        if mark.who == "anywhere":
            raise refuse(_l("View %(key)s is marked “anywhere”; a plugin is there only where it is on.", key=endpoint))
        permission = getattr(mark, "permission", None)
        if isinstance(permission, Permission):
            check_registered(permission, f"view {endpoint}", own, others)


def _check_navigation(name: str, offered: Mapping[str, Any], app: Flask) -> None:
    """A line of the navigation leads to a page of the plugin's own that needs no further values."""
    for item in offered.get("navigation", ()):
        rules = [r for r in app.url_map.iter_rules() if r.endpoint == item.endpoint]
        if not any("GET" in (rule.methods or ()) and not rule.arguments for rule in rules):
            raise refuse(
                _l("Navigation “%(key)s” leads to no page of its own (%(where)s).", key=item.key, where=item.endpoint)
            )
