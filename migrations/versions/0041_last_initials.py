"""The last initial of a name alone is no search row of its own: the row of its last syllable begins with it"""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_DROP = """
DELETE FROM name_suffix n
 USING (SELECT DISTINCT o.tenant_id, o.id, left(o.suffix, 1) AS letter FROM name_suffix o
         WHERE o.suffix BETWEEN 'a' AND 'zz' AND length(o.suffix) > 1) longer
 WHERE n.tenant_id = longer.tenant_id AND n.id = longer.id AND n.suffix = longer.letter
"""


def upgrade() -> None:
    op.execute(_DROP)


def downgrade() -> None:
    """Nothing: the same words find the same people without these rows."""
