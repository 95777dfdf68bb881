"""A row of an import that was left out is taken back by a repair of its own"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = "'cell', 'alike', 'out', 'workbook'"


def _kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_import_repair_kind"), "import_repair", type_="check")
    op.create_check_constraint(op.f("ck_import_repair_kind"), "import_repair", f"kind in ({kinds})")


def upgrade() -> None:
    _kinds(_KINDS.replace("'workbook'", "'back', 'workbook'"))


def downgrade() -> None:
    op.execute("DELETE FROM import_repair WHERE kind = 'back'")
    _kinds(_KINDS)
