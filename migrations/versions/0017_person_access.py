"""Access log of each person: looks at one, and sets with a bit for each person in them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _who_and_what() -> list[sa.Column[object]]:
    return [
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(collation="C"), nullable=False),
        sa.Column("seen", sa.Text(collation="C"), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "person_access",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        *_who_and_what(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person_access")),
    )
    op.create_index(op.f("ix_person_access_tenant_id_person_id_id"), "person_access", ["tenant_id", "person_id", "id"])
    op.create_table(
        "person_access_set",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *_who_and_what(),
        sa.Column("number", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person_access_set")),
    )
    op.create_table(
        "person_access_member",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "bucket", "id", name=op.f("pk_person_access_member")),
    )
    for table in ("person_access", "person_access_set", "person_access_member"):
        for statement in protect(table, grants="SELECT, INSERT"):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in ("person_access_member", "person_access_set", "person_access"):
        op.drop_table(table)
