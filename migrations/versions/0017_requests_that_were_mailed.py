"""Those requests of one address that were answered by a mail, read alone: a storm of others costs nothing"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"


def upgrade() -> None:
    op.create_index(
        "ix_wish_request_asked",
        "wish_request",
        ["normalised", "product_id", "created_at"],
        unique=False,
        sqlite_where=sa.text("delivery_id IS NOT NULL"),
        postgresql_where=sa.text("delivery_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_wish_request_asked", table_name="wish_request")
