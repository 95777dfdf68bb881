"""The register: who belongs to which household from when to when, and the acts by which that changed

Needs the extension ``btree_gist`` (part of PostgreSQL, trusted: the owner of the database may create it). It stays when
this is taken back, for it may have been there before.

Persons that stand already become members of their household since their birth: registered, and living there unless
they are away. Of those who have left, the membership has ended.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COUNTS = ("registered_count", "living_count")
_TABLES = ("household_member", "register_act", "register_act_part")
_C = sa.Text(collation="C")
_NOW = sa.text("now()")
_MEMBERS = """
INSERT INTO household_member (tenant_id, area_code, person_id, household_id, registered, living, relation, valid_from,
                              valid_to)
SELECT p.tenant_id, h.area_code, p.id, p.household_id, true, NOT p.away, p.relation, known.first, known.last
  FROM person p JOIN household h ON h.tenant_id = p.tenant_id AND h.id = p.household_id
 CROSS JOIN LATERAL (
       SELECT greatest(coalesce(p.birth_date, date '1900-01-01'), date '1900-01-01') AS first,
              CASE WHEN p.state <> 'active' THEN coalesce(p.left_on, p.updated_at::date) END AS last) known
 WHERE known.last IS NULL OR known.last > known.first
"""
_ONE_HOUSEHOLD = """
ALTER TABLE household_member ADD CONSTRAINT ex_household_member_one_household EXCLUDE USING gist (
      tenant_id WITH =, person_id WITH =,
      int4range(CASE WHEN registered THEN 0 ELSE 1 END, CASE WHEN living THEN 2 ELSE 1 END) WITH &&,
      daterange(valid_from, valid_to) WITH &&)
"""
_COUNT = """
UPDATE household h SET registered_count = m.registered, living_count = m.living
  FROM (SELECT tenant_id, household_id, count(*) FILTER (WHERE registered) AS registered,
               count(*) FILTER (WHERE living) AS living
          FROM household_member WHERE valid_to IS NULL GROUP BY 1, 2) m
 WHERE m.tenant_id = h.tenant_id AND m.household_id = h.id
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for column in _COUNTS:
        op.add_column("household", sa.Column(column, sa.SmallInteger(), server_default="0", nullable=False))
    op.create_table(
        "household_member",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("living", sa.Boolean(), nullable=False),
        sa.Column("relation", _C, server_default="", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("registered OR living", name=op.f("ck_household_member_base")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_household_member_period")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_household_member_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["household.tenant_id", "household.id"],
            name=op.f("fk_household_member_tenant_id_household_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "id", name=op.f("pk_household_member")),
    )
    op.create_table(
        "register_act",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("area_code", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("other_household_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="done", nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("reported_by", sa.BigInteger(), nullable=True),
        sa.Column("reported_name", sa.Text(), server_default="", nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_name", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("client_digest", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind in ('birth', 'move_in', 'move', 'move_out', 'leave', 'return', 'death', 'head_change', 'split',"
            " 'merge', 'close', 'reopen')",
            name=op.f("ck_register_act_kind"),
        ),
        sa.CheckConstraint("state in ('reported', 'done', 'refused', 'undone')", name=op.f("ck_register_act_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_register_act")),
        sa.UniqueConstraint("tenant_id", "client_id", name=op.f("uq_register_act_tenant_id_client_id")),
    )
    op.create_index(
        op.f("ix_register_act_tenant_id_state_area_code"), "register_act", ["tenant_id", "state", "area_code"]
    )
    op.create_table(
        "register_act_part",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", _C, nullable=False),
        sa.Column("thing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("act_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint("kind in ('person', 'household')", name=op.f("ck_register_act_part_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "act_id"],
            ["register_act.tenant_id", "register_act.id"],
            name=op.f("fk_register_act_part_tenant_id_act_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "thing_id", "act_id", name=op.f("pk_register_act_part")),
    )
    op.create_index(op.f("ix_register_act_part_tenant_id_act_id"), "register_act_part", ["tenant_id", "act_id"])
    op.execute(_MEMBERS)
    op.execute(_COUNT)
    # After the rows: an index over all of them at once is several times quicker than one row after the other.
    op.create_index(
        op.f("ix_household_member_tenant_id_household_id"), "household_member", ["tenant_id", "household_id"]
    )
    op.execute(_ONE_HOUSEHOLD)
    for table in _TABLES:
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    for column in reversed(_COUNTS):
        op.drop_column("household", column)
