"""What the feature registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click
from flask import Blueprint, url_for

from xiangyue.access.permissions import Permission
from xiangyue.db.uow import Uow
from xiangyue.features.imports import api_repair, commands, pages_list, policy, queries
from xiangyue.features.imports.check_job import CHECK
from xiangyue.features.imports.clear_job import CLEAR, DAILY
from xiangyue.features.imports.commit_job import COMMIT
from xiangyue.features.imports.repair_job import REPAIR
from xiangyue.features.imports.undo_job import UNDO
from xiangyue.features.imports.undo_list import UNDO_LIST
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import JobKind, NavItem, Schedule, WorkItem, WorkProvider


def batch_url(job: Job) -> str:
    """The page of the batch a job worked on."""
    return url_for("imports.show_import", id=int(job.params["batch_id"]))


def find_waiting(uow: Uow) -> list[WorkItem]:
    """My rosters that are checked and wait to be written or mended."""
    items = []
    for batch in queries.waiting_batches(uow):
        if batch.state == "mapping":
            url = url_for("imports.show_import", id=batch.id)
            detail = _l("Columns to be matched")
            items.append(WorkItem(batch.file_name, detail=detail, url=url, act=_l("Match them"), state="soon"))
            continue
        errors = int(batch.counts.get("errors") or 0)
        items.append(
            WorkItem(
                title=batch.file_name,
                detail=_("%(n)s cells to mend", n=f"{errors:,}")
                if errors
                else _l("Checked without errors, not written"),
                url=url_for("imports.show_import", id=batch.id),
                act=_l("Mend it") if errors else _l("Write it"),
                state="soon" if errors else "",
            )
        )
    return items


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return policy.PERMISSIONS


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages_list.bp,)


@hookimpl
def register_api() -> Sequence[Any]:
    return (api_repair.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem(
            "imports",
            _l("Import"),
            "imports.list_imports",
            policy.IMPORT_RUN,
            group="people",
            icon="file-import",
            position=60,
        ),
    )


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (WorkProvider("imports.waiting", find_waiting),)


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    return (
        replace(CHECK, result_url=batch_url),
        replace(COMMIT, result_url=batch_url),
        replace(REPAIR, result_url=batch_url),
        replace(UNDO, result_url=batch_url),
        UNDO_LIST,
        CLEAR,
    )


@hookimpl
def register_schedules() -> Sequence[Schedule]:
    return (DAILY,)


@hookimpl
def register_role_templates() -> Mapping[str, frozenset[str]]:
    return policy.ROLE_TEMPLATES


@hookimpl
def register_commands() -> Sequence[click.Command]:
    return (commands.import_group, commands.synth_group)


@hookimpl
def register_audit_actions() -> Mapping[str, Any]:
    return {
        "import.upload": _l("Uploaded a file to import"),
        "import.columns": _l("Matched the columns of an import"),
        "import.commit": _l("Started writing an import"),
        "import.written": _l("Wrote an import"),
        "import.undo": _l("Started undoing an import"),
        "import.undone": _l("Undid an import"),
        "import.export": _l("List of imports exported"),
        "import.undo_list": _l("Downloaded what was built on an import"),
        "import.stop": _l("Stopped an import"),
        "import.drop": _l("Dropped an import"),
        "import.row": _l("Looked at a row of an import in full"),
        "import.repair": _l("Mended rows of an import"),
        "import.repair_undo": _l("Took a repair of an import back"),
        "import.errors": _l("Downloaded an error workbook"),
    }
