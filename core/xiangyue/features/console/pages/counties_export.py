"""Export of exactly the list of counties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from xiangyue.features.console import policy
from xiangyue.features.console.pages import bp
from xiangyue.features.console.pages.counties import Row, found_of, listing, rows_of
from xiangyue.features.console.service.counties import note_export
from xiangyue.i18n import gettext as _
from xiangyue.i18n import pick
from xiangyue.web.access import requires
from xiangyue.web.exporting import Taken, export_list
from xiangyue.web.pipeline import current_uow

STEP = 100


@bp.route("/console/export", methods=["GET", "POST"])
@requires(policy.OPERATOR_VIEW)
def export_counties() -> Any:
    """What is going to be exported and the question what for; sent, the spreadsheet of the list at this address."""
    uow, asked = current_uow(), listing()

    def cells() -> Iterator[list[Any]]:
        after: str | None = None
        while True:
            found = found_of(asked, limit=STEP, after=after)
            for row in rows_of(found.rows):
                yield [_cell(column.key, row) for column in asked.visible]
            if (after := found.next) is None:
                return

    def note(taken: Taken) -> None:
        note_export(uow, **asdict(taken))

    return export_list(asked, title=_("Export counties"), of=_("Counties"), back=asked.url(), cells=cells, note=note)


def _cell(column: str, row: Row) -> Any:
    """Sizes in bytes."""
    county, usage = row.tenant, row.usage
    made: dict[str, Any] = {
        "name": "\n".join([pick(county.name, county.name_en), *row.hosts]),
        "code": f"{county.area_code // 10**9:06d}",
        "state": str(policy.STATES.get(county.state, county.state)),
        "households": usage.households,
        "persons": usage.persons,
        "accounts": usage.accounts,
        "database": usage.database_bytes,
        "files": usage.file_bytes,
        "jobs": _("%(failed)d failed, %(open)d open", failed=usage.failed_jobs, open=usage.open_jobs),
        "last_sign_in": usage.last_sign_in_at,
        "plugins": "\n".join(name for name, one in (county.profile.get("plugins") or {}).items() if one.get("enabled")),
        "created_at": county.created_at,
    }
    return made[column]
