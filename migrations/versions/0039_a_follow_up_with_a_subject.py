"""A follow-up with a subject of its own"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("subject", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("follow_up", "subject")
