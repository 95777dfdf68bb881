"""Carers of children, helpers of old people, referrals to the village's children's director"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _ends() -> list[sa.Column[object]]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "person_care",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        _text("carer_name"),
        _text("carer_relation"),
        _text("guardian_name"),
        _text("guardian_relation"),
        sa.Column("guardian_phone", sa.LargeBinary(), nullable=True),
        sa.Column("consent_on", sa.Date(), nullable=True),
        _text("consent_how", c=True),
        _text("left_behind", c=True),
        _text("helper_name"),
        _text("helper_relation"),
        _text("note"),
        *_ends(),
        sa.CheckConstraint("left_behind in ('', 'no', 'one', 'both')", name=op.f("ck_person_care_left_behind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_person_care_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person_care")),
        sa.UniqueConstraint("tenant_id", "person_id", name=op.f("uq_person_care_tenant_id_person_id")),
    )
    op.create_table(
        "care_referral",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("referred_on", sa.Date(), nullable=False),
        _text("director", default=None),
        _text("reason", default=None),
        _text("state", c=True, default="open"),
        sa.Column("closed_on", sa.Date(), nullable=True),
        _text("outcome"),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        _text("created_by_name"),
        *_ends(),
        sa.CheckConstraint("state in ('open', 'closed')", name=op.f("ck_care_referral_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["person.tenant_id", "person.id"],
            name=op.f("fk_care_referral_tenant_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_care_referral")),
    )
    op.create_index(op.f("ix_care_referral_tenant_id_person_id"), "care_referral", ["tenant_id", "person_id"])
    op.create_index(
        op.f("ix_care_referral_tenant_id_state_referred_on_id"),
        "care_referral",
        ["tenant_id", "state", "referred_on", "id"],
    )
    for table in ("person_care", "care_referral"):
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    op.drop_table("care_referral")
    op.drop_table("person_care")
