"""Large exports of the list, written by a job: see ``web.kept_exports``."""

from __future__ import annotations

from typing import Any

from xiangyue.features.classifications.list_query import count_classifications
from xiangyue.features.classifications.pages import export
from xiangyue.features.classifications.policy import CLASSIFICATION_EXPORT, EXPORT_KIND
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind
from xiangyue.web.kept_exports import file_url, keep_written, reading_as, result_text, stepping


def run_export(context: JobContext) -> dict[str, Any]:
    """Write the list row by row, then keep the file."""
    asked = export.Asked.kept(context.params)
    with reading_as(context, CLASSIFICATION_EXPORT, asked.reading) as uow:
        found = asked.listing(uow)
        written = export.write(uow, asked, found, stepping(context, count_classifications(uow, found.filter)))
        name = asked.file_name
    return keep_written(
        context,
        written,
        name,
        asked.number,
        CLASSIFICATION_EXPORT,
        lambda uow: export.put_on_record(uow, asked, found, written.rows),
    )


EXPORT = JobKind(
    EXPORT_KIND,
    _l("Export classifications"),
    run_export,
    permission=CLASSIFICATION_EXPORT,
    result_url=file_url,
    result_text=result_text,
)
