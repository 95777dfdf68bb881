"""Organisations: kinds, posts, who holds them, terms, and who may not sit where"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TABLES = (
    "organisation_kind",
    "post_kind",
    "post_exclusion",
    "organisation",
    "post",
    "organisation_election",
    "post_holder",
)
_ONE_SEAT = """
ALTER TABLE post_holder ADD CONSTRAINT ex_post_holder_one_seat EXCLUDE USING gist (
      tenant_id WITH =, post_id WITH =, seat WITH =, daterange(valid_from, valid_to) WITH &&)
      DEFERRABLE INITIALLY IMMEDIATE
"""


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _small(name: str, *, default: str | None = None, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), server_default=default, nullable=nullable)


def _flag(name: str, default: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def _day(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _big(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _list(name: str, *, default: str | None = "[]") -> sa.Column[object]:
    kept = sa.text(f"'{default}'") if default is not None else None
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=kept, nullable=False)


def _key() -> list[sa.Column[int]]:
    return [
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
    ]


def _ends() -> list[sa.Column[object]]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    ]


def _primary(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("tenant_id", *columns, name=op.f(f"uq_{table}_tenant_id_{'_'.join(columns)}"))


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=name)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{'_'.join(columns)}"), table, ["tenant_id", *columns])


def upgrade() -> None:
    _kinds()
    _organisations()
    _holders()
    for table in _TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def _kinds() -> None:
    op.create_table(
        "organisation_kind",
        *_key(),
        _text("key", c=True, default=None),
        _text("name", default=None),
        _text("name_en"),
        _text("family", c=True, default=None),
        _list("levels", default=None),
        _small("term_years"),
        _small("least"),
        _small("most"),
        _text("source"),
        _flag("card", "false"),
        _small("position", default="0", nullable=False),
        _flag("active", "true"),
        _primary("organisation_kind"),
        _unique("organisation_kind", "key"),
    )
    op.create_table(
        "post_kind",
        *_key(),
        _text("key", c=True, default=None),
        _text("kind_key", c=True, default=None),
        _text("name", default=None),
        _text("name_en"),
        _small("seats_min", default="0", nullable=False),
        _small("seats_max"),
        _flag("lead", "false"),
        _small("position", default="0", nullable=False),
        _flag("active", "true"),
        _primary("post_kind"),
        _unique("post_kind", "key"),
    )
    op.create_table(
        "post_exclusion",
        *_key(),
        _text("key", c=True, default=None),
        _text("first", c=True, default=None),
        _text("second", c=True, default=None),
        _flag("near_relatives", "false"),
        _flag("leads_only", "false"),
        _text("source"),
        _flag("active", "true"),
        _primary("post_exclusion"),
        _unique("post_exclusion", "key"),
    )


def _organisations() -> None:
    op.create_table(
        "organisation",
        *_key(),
        _big("area_code", nullable=False),
        _text("kind_key", c=True, default=None),
        _text("level", c=True, default=None),
        _text("name", default=None),
        _text("sort_key", c=True),
        _big("parent_id"),
        _text("registration_code", c=True),
        _day("founded_on"),
        _day("dissolved_on"),
        _text("dissolved_reason"),
        _small("term_years"),
        _day("term_from"),
        _day("term_until"),
        sa.Column("card_token", sa.Uuid(), nullable=True),
        _text("card_text"),
        _text("card_phone"),
        _text("note"),
        *_ends(),
        sa.CheckConstraint("level in ('county', 'town', 'village', 'group')", name=op.f("ck_organisation_level")),
        sa.CheckConstraint("dissolved_on >= founded_on", name=op.f("ck_organisation_life")),
        _to("organisation", "parent_id", "organisation"),
        _primary("organisation"),
        _unique("organisation", "card_token"),
    )
    _index("organisation", "area_code")
    _index("organisation", "sort_key", "id")
    _index("organisation", "parent_id")
    op.create_table(
        "post",
        *_key(),
        _big("organisation_id", nullable=False),
        _text("key", c=True, default=None),
        _text("name", default=None),
        _text("name_en"),
        _small("seats_min", default="0", nullable=False),
        _small("seats_max"),
        _flag("lead", "false"),
        _small("position", default="0", nullable=False),
        _flag("active", "true"),
        *_ends(),
        sa.CheckConstraint("seats_max >= seats_min", name=op.f("ck_post_seats")),
        _to("post", "organisation_id", "organisation"),
        _primary("post"),
        _unique("post", "organisation_id", "key"),
    )


def _holders() -> None:
    op.create_table(
        "organisation_election",
        *_key(),
        _big("organisation_id", nullable=False),
        _day("term_from", nullable=False),
        _day("term_until"),
        _day("decided_on"),
        _text("way", c=True, default=None),
        sa.Column("voters", sa.Integer(), nullable=True),
        sa.Column("votes_cast", sa.Integer(), nullable=True),
        _text("result"),
        _text("state", c=True, default="done"),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        _big("created_by"),
        _text("created_by_name"),
        *_ends(),
        sa.CheckConstraint("state in ('done', 'undone')", name=op.f("ck_organisation_election_state")),
        _to("organisation_election", "organisation_id", "organisation"),
        _primary("organisation_election"),
    )
    _index("organisation_election", "organisation_id")
    op.create_table(
        "post_holder",
        *_key(),
        _big("organisation_id", nullable=False),
        _big("post_id", nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        _big("person_id"),
        _text("outsider_name"),
        _text("outsider_unit"),
        _day("valid_from", nullable=False),
        _day("term_until"),
        _day("valid_to"),
        _text("way", c=True, default=None),
        _day("decided_on"),
        sa.Column("votes", sa.Integer(), nullable=True),
        sa.Column("votes_cast", sa.Integer(), nullable=True),
        _text("document"),
        _text("note"),
        _text("end_reason", c=True),
        _text("end_note"),
        _list("doubt"),
        _text("doubt_reason"),
        _big("election_id"),
        *_ends(),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_post_holder_period")),
        _to("post_holder", "organisation_id", "organisation"),
        _to("post_holder", "post_id", "post"),
        _to("post_holder", "person_id", "person"),
        _to("post_holder", "election_id", "organisation_election"),
        _primary("post_holder"),
    )
    _index("post_holder", "organisation_id")
    _index("post_holder", "person_id")
    op.execute(_ONE_SEAT)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
