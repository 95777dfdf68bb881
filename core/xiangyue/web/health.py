"""Probes on any host: ``/healthz`` (the process lives) and ``/readyz`` (database and queue answer)."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from xiangyue.jobs.metrics import JobSeconds
from xiangyue.web import metrics
from xiangyue.web.access import anywhere
from xiangyue.web.pipeline import client_address, runtime


def install(app: Flask) -> None:
    @app.get("/healthz")
    @anywhere
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    @anywhere
    def readyz() -> tuple[Response, int]:
        state = {"database": _database(), "redis": _redis()}
        ready = all(v == "ok" for v in state.values())
        return jsonify({"ready": ready, **state}), 200 if ready else 503

    @app.get("/metrics")
    @anywhere
    def metrics_text() -> Response:
        header = request.headers.get("Authorization")
        return metrics.response(runtime().settings, client_address(), header, JobSeconds(runtime()))


def _database() -> str:
    try:
        with runtime().engine.connect() as connection:
            connection.execute(text("SELECT 1 FROM tenant LIMIT 1"))
        return "ok"
    except SQLAlchemyError:
        return "away"


def _redis() -> str:
    try:
        runtime().redis.ping()
        return "ok"
    except RedisError:
        return "away"
