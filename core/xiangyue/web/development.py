"""``/dev/components``: every component in every state, on demonstration and development instances only."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from xiangyue.errors import NotFound
from xiangyue.web.access import public
from xiangyue.web.pipeline import runtime
from xiangyue.web.samples import component_samples
from xiangyue.web.shell import page


def install(app: Flask) -> None:
    @app.get("/dev/components")
    @public
    def components() -> Any:
        if not runtime().settings.demo:
            raise NotFound()
        return page("dev/components.html", **component_samples(request.args, request.path))
