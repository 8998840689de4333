"""Where a fetched mail lies outside, and the folders that are read over IMAP"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0028"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "watched_folder",
        sa.Column("id", BigId, nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("validity", BigId, nullable=False),
        sa.Column("walked_to", BigId, nullable=True),
        sa.Column("looked_at", Instant(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("fault_since", Instant(), nullable=True),
        sa.Column("left", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watched_folder")),
        sa.UniqueConstraint("account", "name", name=op.f("uq_watched_folder_account_name")),
    )
    op.add_column("inbound_mail", sa.Column("place", sa.String(length=300), nullable=True))
    # A unique index, not a constraint: SQLite adds it without copying the table.
    op.create_index(op.f("ix_inbound_mail_place"), "inbound_mail", ["place"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_inbound_mail_place"), "inbound_mail")
    op.drop_column("inbound_mail", "place")
    op.drop_table("watched_folder")
