"""Notices in versions, and what each person said to them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from xiangyue.db.rls import RUNTIME_ROLE, protect

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _text(name: str, *, c: bool = False, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C") if c else sa.Text(), server_default=default, nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _flag(name: str, default: str = "false") -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


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


def _fk(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    op.create_table(
        "notice",
        *_key(),
        _text("kind", c=True, default=None),
        _text("whom", c=True, default="all"),
        _text("title", default=None),
        _text("title_en"),
        _text("state", c=True, default="draft"),
        _text("profile_key", c=True),
        *_ends(),
        sa.CheckConstraint("kind in ('notice', 'consent', 'separate', 'guardian')", name=op.f("ck_notice_kind")),
        sa.CheckConstraint("state in ('draft', 'published', 'withdrawn')", name=op.f("ck_notice_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notice")),
    )
    op.create_index(
        op.f("ix_notice_tenant_id_profile_key"),
        "notice",
        ["tenant_id", "profile_key"],
        unique=True,
        postgresql_where=sa.text("profile_key <> ''"),
    )
    op.create_table(
        "notice_version",
        *_key(),
        _big("notice_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("state", c=True, default="draft"),
        _text("title", default=None),
        _text("title_en"),
        _text("body", default=None),
        _text("body_en"),
        _text("purpose", default=None),
        _text("lawful_basis", c=True, default=None),
        _text("source"),
        sa.Column("fields", postgresql.JSONB(), server_default="[]", nullable=False),
        _text("retention", default=None),
        _text("handler", default=None),
        _text("consequence"),
        _text("change_note"),
        _flag("again"),
        sa.Column("published_on", sa.Date(), nullable=True),
        _text("published_by_name"),
        sa.Column("ended_on", sa.Date(), nullable=True),
        *_ends(),
        sa.CheckConstraint(
            "state in ('draft', 'published', 'superseded', 'withdrawn')", name=op.f("ck_notice_version_state")
        ),
        _fk("notice_version", "notice_id", "notice", "CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notice_version")),
        sa.UniqueConstraint(
            "tenant_id", "notice_id", "number", name=op.f("uq_notice_version_tenant_id_notice_id_number")
        ),
    )
    op.create_index(
        op.f("ix_notice_version_tenant_id_notice_id_state"),
        "notice_version",
        ["tenant_id", "notice_id", "state"],
        unique=True,
        postgresql_where=sa.text("state in ('draft', 'published')"),
    )
    op.create_table(
        "person_consent",
        *_key(),
        _big("person_id"),
        _big("notice_id"),
        _big("version_id"),
        _text("kind", c=True, default=None),
        _text("answer", c=True, default=None),
        sa.Column("said_on", sa.Date(), nullable=False),
        _text("how", c=True, default=None),
        _text("witness"),
        _text("guardian_name"),
        _text("guardian_relation"),
        _text("note"),
        _big("file_id", nullable=True),
        _flag("current", "true"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _big("created_by", nullable=True),
        _text("created_by_name"),
        sa.CheckConstraint("answer in ('given', 'refused', 'withdrawn')", name=op.f("ck_person_consent_answer")),
        sa.CheckConstraint("how in ('paper', 'spoken', 'phone')", name=op.f("ck_person_consent_how")),
        _fk("person_consent", "person_id", "person", "CASCADE"),
        _fk("person_consent", "notice_id", "notice"),
        _fk("person_consent", "version_id", "notice_version"),
        _fk("person_consent", "file_id", "stored_file"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person_consent")),
    )
    op.create_index(
        "uq_person_consent_current",
        "person_consent",
        ["tenant_id", "person_id", "notice_id"],
        unique=True,
        postgresql_where=sa.text("current"),
    )
    for columns in (["tenant_id", "person_id"], ["tenant_id", "notice_id", "current"]):
        op.create_index(op.f(f"ix_person_consent_{'_'.join(columns)}"), "person_consent", columns)
    for table in ("notice", "notice_version", "person_consent"):
        for statement in protect(table):
            op.execute(statement)
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {RUNTIME_ROLE}")


def downgrade() -> None:
    for table in ("person_consent", "notice_version", "notice"):
        op.drop_table(table)
