"""An import says on what ground its data was taken in and when its file is deleted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("lawful_basis", sa.Text(), server_default="", nullable=False))
    op.add_column("import_batch", sa.Column("file_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE import_batch b SET file_expires_at = f.expires_at FROM stored_file f"
        " WHERE f.tenant_id = b.tenant_id AND f.id = b.file_id"
    )


def downgrade() -> None:
    op.drop_column("import_batch", "file_expires_at")
    op.drop_column("import_batch", "lawful_basis")
