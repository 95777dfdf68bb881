"""What the feature registers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask import url_for

from xiangyue.db.uow import Uow
from xiangyue.features.imports import api, commands, pages, policy, queries
from xiangyue.features.imports.check_job import CHECK
from xiangyue.features.imports.clear_job import CLEAR, DAILY
from xiangyue.features.imports.commit_job import COMMIT
from xiangyue.i18n import gettext as _
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.models import Job
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem, WorkItem, WorkProvider


def batch_url(job: Job) -> str:
    """The page of the batch a job worked on."""
    return url_for("imports.show_import", id=int(job.params["batch_id"]))


def find_waiting(uow: Uow) -> list[WorkItem]:
    """My rosters that are checked and wait to be written or mended."""
    items = []
    for batch in queries.waiting_batches(uow):
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
def register_feature() -> Feature:
    return Feature(
        key="imports",
        permissions=policy.PERMISSIONS,
        blueprints=(pages.bp,),
        api_blueprints=(api.bp,),
        navigation=(
            NavItem(
                "imports",
                _l("Import"),
                "imports.list_imports",
                policy.IMPORT_RUN,
                group="people",
                icon="file-import",
                position=60,
            ),
        ),
        work=(WorkProvider("imports.waiting", find_waiting),),
        jobs=(replace(CHECK, result_url=batch_url), replace(COMMIT, result_url=batch_url), CLEAR),
        schedules=(DAILY,),
        role_templates=policy.ROLE_TEMPLATES,
        translations=Path(__file__).parent / "translations",
        commands=(commands.import_group, commands.synth_group),
        actions={
            "import.upload": _l("Uploaded a roster"),
            "import.commit": _l("Started writing a roster"),
            "import.written": _l("Wrote a roster into the register"),
            "import.stop": _l("Stopped an import"),
            "import.drop": _l("Dropped an import"),
            "import.errors": _l("Downloaded an error workbook"),
        },
    )
