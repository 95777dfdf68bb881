"""flask-smorest set-up under ``/api/v1``: OpenAPI 3.1, bearer tokens, problem documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider
from flask_smorest import Api, Blueprint
from marshmallow import Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import CombinedMultiDict
from werkzeug.exceptions import UnsupportedMediaType

from xiangyue import __version__
from xiangyue.api.document import conditional, county_document, schema_name, versioned_operations
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.addresses import api_prefix
from xiangyue.plugin.manager import Registry
from xiangyue.tenancy.profile_problems import did_you_mean
from xiangyue.web.access import public
from xiangyue.web.pipeline import current_offer
from xiangyue.web.plugins import MountFailed
from xiangyue.web.shell import page

V = TypeVar("V", bound=Callable[..., Any])

PREFIX = "/api/v1"


class OrjsonProvider(JSONProvider):
    """orjson for every JSON body."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)


class ProblemFieldSchema(Schema):
    """What is wrong with one field."""

    path = fields.String()
    message = fields.String()


class ProblemSchema(Schema):
    """RFC 9457 problem document."""

    type = fields.String(metadata={"description": "urn:xiangyue:error:<code>"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    request_id = fields.String()
    errors = fields.List(
        fields.Nested(ProblemFieldSchema),
        metadata={"description": "Field paths and what is wrong with each"},
    )
    current = fields.Dict(metadata={"description": "After a lost update: the values that now stand"})
    persons = fields.List(
        fields.Dict(), metadata={"description": "looks_like: who is registered already that this may be, and why"}
    )
    plugin = fields.String(metadata={"description": "The plugin that refused the act, or was stopped"})


class ApiV1(Api):  # type: ignore[misc]
    """flask-smorest without its error handlers: those would answer HTML pages with JSON."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._undescribed: list[Any] = []
        self._describing = Lock()

    def _register_error_handlers(self) -> None:
        """Errors have one home, web.errors."""

    def mount(self, blueprint: Any, **options: Any) -> None:
        """Register a blueprint; it is described when somebody asks for the document, which takes most of the time."""
        name = blueprint.name
        self._app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        self._app.register_blueprint(blueprint, **options)
        self._undescribed.append(blueprint)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of all that was registered."""
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed.pop(0)
                name = blueprint.name
                blueprint.register_views_in_doc(self, self._app, self.spec, name=name, parameters=None)
                self.spec.tag({"name": name, "description": blueprint.description})
        document: dict[str, Any] = self.spec.to_dict()
        return document


class _Parser(FlaskParser):
    """webargs' own, but nothing is passed over in silence: a misspelt filter would answer the whole county, and a body
    of another kind would count as an empty one.

    A schema whose parameters are not all known beforehand has ``takes(name) -> bool`` for the others.
    """

    __location_map__ = {**FlaskParser.__location_map__, "multipart": "load_multipart"}

    def load_querystring(self, req: Any, schema: Schema) -> Any:
        # A plain mapping: webargs' proxy raises and catches an HTTP error for every parameter that is not there.
        given = req.args
        known, multiple = _parameters(schema)
        takes = getattr(schema, "takes", None)
        unknown = [key for key in given if key not in known and not (takes is not None and takes(key))]
        if unknown:
            raise ValidationError({key: [_unknown_parameter(key, known)] for key in unknown})
        return {key: given.getlist(key) if key in multiple else given[key] for key in given}

    def load_multipart(self, req: Any, schema: Schema) -> Any:
        """A form with a file in it: texts and files as one mapping, as the document describes the body."""
        return MultiDictProxy(CombinedMultiDict([req.form, req.files]), schema)

    def load_json(self, req: Any, schema: Schema) -> Any:
        if not req.is_json and req.get_data(cache=True):
            raise UnsupportedMediaType
        return super().load_json(req, schema)


@lru_cache(maxsize=512)
def _parameters(schema: Schema) -> tuple[frozenset[str], frozenset[str]]:
    """Names of a schema's parameters, and of those that may stand several times."""
    known = frozenset(field.data_key or name for name, field in schema.load_fields.items())
    return known, frozenset(MultiDictProxy({}, schema).multiple_keys)


def _unknown_parameter(name: str, known: Iterable[str]) -> Any:
    near = did_you_mean(name, known)
    if near:
        return _l("There is no parameter of this name; %(suggestion)s", suggestion=near)
    return _l("There is no parameter of this name. Known: %(names)s.", names=", ".join(sorted(known)))


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint of the API; ``url_prefix`` is relative to /api/v1."""

    ARGUMENTS_PARSER = _Parser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {
        **Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "multipart": "multipart/form-data",
    }

    def __init__(self, name: str, import_name: str, *, url_prefix: str = "", description: str = "") -> None:
        super().__init__(f"api-{name}", import_name, url_prefix=f"{PREFIX}{url_prefix}", description=description)

    if TYPE_CHECKING:  # flask-smorest has no types; its decorators leave a view's own as they are

        def route(self, rule: str, **options: Any) -> Callable[[V], V]: ...
        def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[V], V]: ...
        def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[V], V]: ...
        def alt_response(self, status: int, response: Any = None, **options: Any) -> Callable[[V], V]: ...
        def get(self, rule: str, **options: Any) -> Callable[[V], V]: ...
        def post(self, rule: str, **options: Any) -> Callable[[V], V]: ...
        def put(self, rule: str, **options: Any) -> Callable[[V], V]: ...
        def patch(self, rule: str, **options: Any) -> Callable[[V], V]: ...
        def delete(self, rule: str, **options: Any) -> Callable[[V], V]: ...
        def doc(self, **options: Any) -> Callable[[V], V]: ...

    else:

        def arguments(self, schema, **options):
            """Made once: from a class, webargs would make a schema for every request."""
            return super().arguments(schema() if isinstance(schema, type) else schema, **options)


def install(app: Flask, registry: Registry) -> None:
    """Register everyone's API blueprints and the document. Raises MountFailed for a plugin's."""
    app.json = OrjsonProvider(app)
    app.config.update(
        API_TITLE="Xiangyue API",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=None,
        API_SPEC_OPTIONS={
            "info": {
                "description": "Everything the pages can do. Send `Authorization: Bearer <token>`; make a token "
                "under your account or with `xiangyue token create`. Lists page by `cursor`; changes need `If-Match`."
            },
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"bearer": []}],
        },
    )
    api = ApiV1(app, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=schema_name)})
    for contributor, blueprint in registry.each("api"):
        if contributor.core:
            api.mount(blueprint)
            continue
        try:
            api.register_blueprint(blueprint, url_prefix=api_prefix(contributor.key))
        except Exception as error:
            raise MountFailed(contributor.key, error) from error

    versioned = versioned_operations(app)

    @app.get(f"{PREFIX}/openapi.json")
    @public
    def openapi() -> Response:
        if g.tenant.is_operator:
            server = "Operator"
        else:
            server = g.tenant.name
        whole = conditional(api.document(), versioned)
        document = {
            **county_document(whole, current_offer()),
            "servers": [{"url": request.host_url.rstrip("/"), "description": server}],
        }
        return Response(orjson.dumps(document), mimetype="application/json")

    @app.get(f"{PREFIX}/docs")
    @public
    def api_docs() -> Any:
        return page("api/docs.html")
