"""Tables of a plugin, the unit of work, and SQL inside a county's scope."""

from __future__ import annotations

from xiangyue.db.base import AreaBound, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk, tenant_join
from xiangyue.db.paging import decode_as, decode_cursor, decode_ids, encode_cursor
from xiangyue.db.plugin_tables import plugin_base
from xiangyue.db.scope import Scope, area_range
from xiangyue.db.sql import analyze_stage, scoped_rows, scoped_sql, stage_rows
from xiangyue.db.uow import Uow

__all__ = [
    "AreaBound",
    "CText",
    "Json",
    "Scope",
    "TenantOwned",
    "Timestamps",
    "Uow",
    "Versioned",
    "analyze_stage",
    "area_range",
    "decode_as",
    "decode_cursor",
    "decode_ids",
    "encode_cursor",
    "plugin_base",
    "scoped_rows",
    "scoped_sql",
    "stage_rows",
    "tenant_fk",
    "tenant_join",
]
