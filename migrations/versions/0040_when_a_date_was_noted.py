"""When a date of hers was noted: what had gone by then begins no plan"""

import sqlalchemy as sa
from alembic import op

from concierge.db import Instant

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("customer_date", sa.Column("noted_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("customer_date", "noted_at")
