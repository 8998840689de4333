"""What each size is worth: the pieces wished for by age, and since when the longest waits; filled by the next count"""

import sqlalchemy as sa
from alembic import op

from concierge.db import Instant

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.add_column("variant_tally", sa.Column("units_by_age", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("variant_tally", sa.Column("oldest_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("variant_tally", "oldest_at")
    op.drop_column("variant_tally", "units_by_age")
