"""By which notice or form of consent an import's persons were told or asked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_FK = "fk_import_batch_tenant_id_notice_version_id"


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("notice_version_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f(_FK),
        "import_batch",
        "notice_version",
        ["tenant_id", "notice_version_id"],
        ["tenant_id", "id"],
    )


def downgrade() -> None:
    op.drop_constraint(op.f(_FK), "import_batch", type_="foreignkey")
    op.drop_column("import_batch", "notice_version_id")
