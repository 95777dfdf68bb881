"""Which department answers for which field, and on what ground it is kept."""

from __future__ import annotations

from typing import Any

from xiangyue.features.privacy import policy
from xiangyue.features.privacy.pages import bp
from xiangyue.features.privacy.queries_fields import field_lines
from xiangyue.tenancy.own import own_settings
from xiangyue.web.access import requires
from xiangyue.web.pipeline import current_uow
from xiangyue.web.shell import page


@bp.get("/privacy/fields")
@requires(policy.FIELDS_VIEW)
def list_fields() -> Any:
    uow = current_uow()
    return page("privacy/fields.html", lines=field_lines(uow), settings=own_settings(uow))
