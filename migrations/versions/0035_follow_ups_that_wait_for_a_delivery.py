"""Follow-ups that wait for a delivery"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId

revision = "0035"
down_revision = "0034"

_AWAITS = sa.text("awaited_id IS NOT NULL AND settled_at IS NULL")


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("awaited_id", BigId, nullable=True))
    op.add_column("follow_up", sa.Column("awaited_days", sa.Integer(), nullable=True))
    op.create_index("ix_follow_up_awaited", "follow_up", ["awaited_id"], sqlite_where=_AWAITS, postgresql_where=_AWAITS)


def downgrade() -> None:
    op.drop_index("ix_follow_up_awaited", table_name="follow_up")
    op.drop_column("follow_up", "awaited_days")
    op.drop_column("follow_up", "awaited_id")
