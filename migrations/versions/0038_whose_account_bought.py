"""Whose account in the shop bought"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

_KNOWN = sa.text("account <> ''")


def upgrade() -> None:
    op.add_column("purchase", sa.Column("account", sa.String(length=60), server_default="", nullable=False))
    op.create_index(
        "ix_purchase_account", "purchase", ["source", "account"], sqlite_where=_KNOWN, postgresql_where=_KNOWN
    )


def downgrade() -> None:
    op.drop_index("ix_purchase_account", table_name="purchase")
    op.drop_column("purchase", "account")
