"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from xiangyue.features.files import jobs, pages
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, Schedule


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (jobs.CLEAR,)


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (jobs.DAILY,)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return {"file.fetch": _l("Downloaded a file")}
