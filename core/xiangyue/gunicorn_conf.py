"""gunicorn's configuration: ``gunicorn -c python:xiangyue.gunicorn_conf xiangyue.wsgi:app``.

The names below are gunicorn's. XIANGYUE_BIND is the address to listen on; only this machine by default, since
a reverse proxy stands in front in production and containers set 0.0.0.0.
"""

from __future__ import annotations

import gc
import os
from typing import Any

from xiangyue.config import Settings

_settings = Settings.load()
# Read by the metrics library when it is first imported: the workers' figures meet in this folder.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str((_settings.home / "run" / f"metrics-{_settings.port}").resolve()))
os.makedirs(os.environ["PROMETHEUS_MULTIPROC_DIR"], exist_ok=True)

from xiangyue.web import logs, metrics  # noqa: E402 - after the folder is known

bind = f"{_settings.bind}:{_settings.port}"
workers = _settings.web_workers
worker_class = "gevent"
worker_connections = 200
# gevent workers answer their master between greenlets; this ends one whose loop is stuck.
timeout = 60
graceful_timeout = 10
keepalive = 5
# The application logs requests itself, structured and with the county; errors go to standard error.
accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()
# Each worker imports the application after gevent has patched the standard library.
preload_app = False
# Its path is one per person, not one per instance: two demos side by side would fight for it.
control_socket_disable = True

child_exit = metrics.child_exit


def on_starting(_server: object) -> None:
    """A folder left by a killed master would add its old figures."""
    metrics.prepare_multiprocess()


def post_worker_init(worker: Any) -> None:
    """gunicorn's own log names whole addresses when something breaks: masked like ours.

    The loaded application lives as long as its worker: the collector need not walk through it again and again,
    which was a fifth of a short request.
    """
    worker.log.error_log.addFilter(logs.mask_record)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
