"""Own fields may be numbers with two places after the point; their values are hundredths in ``int_value``"""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_NAME = op.f("ck_custom_field_type")
_BEFORE = "type in ('text', 'integer', 'date', 'boolean', 'choice')"


def upgrade() -> None:
    op.drop_constraint(_NAME, "custom_field", type_="check")
    op.create_check_constraint(
        _NAME, "custom_field", "type in ('text', 'integer', 'decimal', 'date', 'boolean', 'choice')"
    )


def downgrade() -> None:
    """Such numbers become texts: no other kind holds them."""
    op.drop_constraint(_NAME, "custom_field", type_="check")
    op.execute(
        "UPDATE custom_value v SET text_value = CAST(trim_scale(v.int_value / 100.0) AS text), int_value = NULL"
        " FROM custom_field f WHERE f.tenant_id = v.tenant_id AND f.id = v.field_id AND f.type = 'decimal'"
    )
    op.execute("UPDATE custom_field SET type = 'text' WHERE type = 'decimal'")
    op.create_check_constraint(_NAME, "custom_field", _BEFORE)
