"""Whose pictures are shown without asking each time"""

import sqlalchemy as sa
from alembic import op

from concierge.db import Instant

revision = "0046"
down_revision = "0044"


def upgrade() -> None:
    op.add_column("customer_address", sa.Column("pictures_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("customer_address", "pictures_at")
