"""The moment of which the shop last told how an order is: an order that failed may be paid yet"""

import sqlalchemy as sa
from alembic import op

from concierge.db import Instant

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("purchase", sa.Column("stated_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("purchase", "stated_at")
