"""The WSGI entry point: ``gunicorn -c python:xiangyue.gunicorn_conf xiangyue.wsgi:app``."""

from __future__ import annotations

from xiangyue.app import create_app

app = create_app()
