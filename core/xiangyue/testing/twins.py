"""Twin counties: a row of every tenant-owned table in both, with the same ids, and one more in the other county only.

Made from the tables' own columns, so a new table (a plugin's too) is covered without a word here.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from xiangyue.access.models import TenantKey
from xiangyue.db.base import Base, TenantOwned, mappers

#: In both counties; what is shown for it must be one's own.
TWIN_ID = 9_001
#: In the other county only: a 404.
FOREIGN_ID = 9_002
FOREIGN = "FOREIGNSECRET"
OWN = "ownrecord"


def tenant_table_objects() -> list[Table]:
    owned = {m.local_table for m in mappers() if issubclass(m.class_, TenantOwned)}
    owned -= {TenantKey.__table__}  # the newest key is the one in use: a made-up one would lock the county out
    return [t for t in Base.metadata.sorted_tables if t in owned]


def plant(connection: Connection, tenant_id: int, county_code: int, *, word: str, ids: tuple[int, ...]) -> None:
    """Insert a row with each id into every tenant-owned table of the county; ``word`` stands in every text."""
    for table in tenant_table_objects():
        for row_id in ids:
            values = {c.name: sample_value(table, c, row_id, word, county_code) for c in table.columns}
            values["tenant_id"], values["id"] = tenant_id, row_id
            connection.execute(insert(table).values({k: v for k, v in values.items() if v is not DEFAULT}))


#: Stands for "leave it to the column's own default".
DEFAULT = object()
_NOTHING: dict[str, list[Any]] = {"opened": [], "ended": [], "removed": []}
#: Of certain tables.
_OF_TABLE: dict[tuple[str, str], Any] = {
    ("household", "location"): "108.430000,32.860000",
    ("grid_change", "changes"): {
        "grids": [], "made": [], "near": [], "touched": [], "versions": _NOTHING, "households": _NOTHING,
    },
}  # fmt: skip
#: Columns whose value must be one of a few: the word would break a check or a parser.
_FIXED: dict[str, Any] = {
    "actor_kind": "account",
    "changes": {"made": {}, "persons": {}, "households": {}, "followed": {}},
    "entity": "household",
    "kind": "roster",
    "level": "group",
    "media_type": "text/plain",
    "permission": "household.view",
    "errors": [],
    "nationality": "01",
    "options": [],
    "relation": "02",
    "sensitivity": "normal",
    "type": "text",
    "locale": "zh",
}


def file_token(row_id: int, word: str) -> uuid.UUID:
    """The link token planted for a stored file."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{word}{row_id}")


def sample_value(table: Table, column: Column[Any], row_id: int, word: str, county_code: int = 0) -> Any:
    """A value that the column takes; DEFAULT where it is better left out."""
    name = column.name
    if name == "state" or name in ("xact", "updated_at", "created_at", "locked_until", "revoked_at", "used_at"):
        return DEFAULT
    if (table.name, name) in _OF_TABLE:
        return _OF_TABLE[table.name, name]
    if name in _FIXED and not isinstance(column.type, SmallInteger):
        return _allowed(table, name) or _FIXED[name]
    if isinstance(column.type, Text) and (known := _allowed(table, name)):
        return known
    if name == "left_behind" or name == "valid_to":
        return DEFAULT
    if name == "second_id":  # of two that are compared, the larger
        return row_id + 1
    if name == "area_code":
        return county_code + 100_201_000 + row_id % 1000 if table.name == "area" else county_code + 100_201_000
    if name in ("mark_key", "award_key"):
        return f"{word}{row_id}key"
    if name == "parent_code":
        return county_code + 100_201_000
    if name == "expires_at":
        return datetime.now(UTC) + timedelta(days=30)
    if isinstance(column.type, Uuid):
        return file_token(row_id, word)
    if isinstance(column.type, Boolean):
        return _by_type(column, row_id, word)
    if column.foreign_keys or (name.endswith("_id") and isinstance(column.type, BigInteger)):
        return row_id
    return _by_type(column, row_id, word)


def _allowed(table: Table, name: str) -> str:
    """The first value that the table's own check admits in the column, "" without such a check."""
    for check in table.constraints:
        if isinstance(check, CheckConstraint):
            found = re.match(rf"{name} in \('([^']+)'", str(check.sqltext))
            if found:
                return found[1]
    return ""


def _by_type(column: Column[Any], row_id: int, word: str) -> Any:
    kind = column.type
    if isinstance(kind, Text):
        return f"{word}{row_id}{column.name}"
    if isinstance(kind, LargeBinary):
        # Encrypted columns stay empty; a token's hash is that of a token nobody has.
        return None if column.nullable else hashlib.sha256(f"{word}{row_id}{column.name}".encode()).digest()
    if isinstance(kind, Boolean):
        return DEFAULT if column.server_default is not None else True
    if isinstance(kind, SmallInteger | Integer | BigInteger):
        return DEFAULT if column.server_default is not None else 2020 if column.name == "year" else row_id
    if isinstance(kind, DateTime):
        return datetime.now(UTC)
    if isinstance(kind, Date):
        return date(1970, 1, 1)
    if isinstance(kind, ARRAY):
        return []
    if isinstance(kind, JSONB):
        return None if column.nullable else {}
    return DEFAULT


def checksum(connection: Connection, tenant_id: int) -> dict[str, str]:
    """A digest of every tenant-owned table of one county, to see whether anything was written there."""
    found = {}
    for table in tenant_table_objects():
        statement = text(
            f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM {table.fullname} t"  # noqa: S608
            " WHERE t.tenant_id = :tenant"
        )
        found[table.fullname] = connection.execute(statement, {"tenant": tenant_id}).scalar_one()
    return found


def sample_body(schema: Schema) -> dict[str, Any]:
    """A body the schema takes: its required fields, or else one of plain text."""
    wanted = {k: f for k, f in schema.fields.items() if f.required and not f.dump_only}
    if not wanted:
        free = [(k, f) for k, f in schema.fields.items() if not f.dump_only]
        wanted = dict(sorted(free, key=lambda item: type(item[1]) is not fields.String)[:1])
    return {field.data_key or name: _sample(field) for name, field in wanted.items()}


def _sample(field: fields.Field[Any]) -> Any:
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return next(iter(validator.choices))
        if isinstance(validator, validate.Range) and validator.min is not None:
            return validator.min
    for kind, value in _SAMPLES.items():
        if isinstance(field, kind):
            return value
    if isinstance(field, fields.Nested):
        return sample_body(field.schema)
    if isinstance(field, fields.List):
        return [_sample(field.inner)]
    return "sample"


_SAMPLES: dict[type, Any] = {
    fields.Date: "2024-01-01",
    fields.UUID: "00000000-0000-4000-8000-000000000001",
    fields.Boolean: True,
    fields.Integer: 1,
    fields.Mapping: {},
}
