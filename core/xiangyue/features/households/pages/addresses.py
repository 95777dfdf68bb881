"""Addresses of the two lists: what stands in them, and how a search word comes in without its citizen number.

See ``identifiers`` for why and how: the filter form is sent by POST and answered by a redirect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import redirect, request, url_for

from xiangyue.access.crypto import TenantKeys
from xiangyue.features.areas import switch
from xiangyue.features.households import policy
from xiangyue.features.households.identifiers import is_seal, seal_word
from xiangyue.features.households.pages import bp
from xiangyue.features.households.pages.common import keys
from xiangyue.web.access import requires
from xiangyue.web.components import Column, Filter, ListView
from xiangyue.web.shell import here


def list_view(columns: Sequence[Column], filters: Sequence[Filter], post_to: str, args: Any | None = None) -> ListView:
    """The list at the present address; its filter form goes to the endpoint ``post_to``. ``args``: those of an address
    that was kept, outside a request."""
    if args is not None:
        return ListView(columns, args, "", filters, default_sort="name", is_seal=is_seal)
    return ListView(
        columns,
        switch.args_without_all(),
        request.path,
        filters,
        default_sort="name",
        post_url=url_for(post_to),
        is_seal=is_seal,
    )


def sealed_query(county: TenantKeys, query: str) -> str:
    """Parameters of an address with the citizen number in them sealed."""
    pairs = parse_qsl(query)
    return urlencode([(name, seal_word(county, value) if name == "q" else value) for name, value in pairs])


def sealed_address() -> Any:
    """A redirect to the present address with the citizen number in it sealed; None when there is none in it."""
    q = request.args.get("q", "")
    sealed = seal_word(keys(), q)
    return redirect(here(q=sealed), 303) if sealed != q else None


@bp.post("/households/filter")
@requires(policy.HOUSEHOLD_VIEW)
def filter_households() -> Any:
    """On to the list of households under these conditions."""
    return _filtered("households.list_households")


@bp.post("/persons/filter")
@requires(policy.HOUSEHOLD_VIEW)
def filter_persons() -> Any:
    """On to the list of persons under these conditions."""
    return _filtered("households.list_persons")


def _filtered(endpoint: str) -> Any:
    given = [(name, value.strip()) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    kept = [(name, seal_word(keys(), value) if name == "q" else value) for name, value in given if value]
    return redirect(url_for(endpoint) + (f"?{urlencode(kept)}" if kept else ""), 303)
