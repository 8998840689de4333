"""What is due is found by an index that SQLite takes too, however many follow-ups are planned"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0027"


def upgrade() -> None:
    _make("settled_at IS NULL AND asked_at IS NULL")


def downgrade() -> None:
    _make("state = 'scheduled' AND asked_at IS NULL")


def _make(which: str) -> None:
    due = sa.text(which)
    op.drop_index("ix_follow_up_due", table_name="follow_up")
    op.create_index("ix_follow_up_due", "follow_up", ["due_at", "id"], sqlite_where=due, postgresql_where=due)
