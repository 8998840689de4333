"""What providers report of our mails, the decisions to send one, and the evidence for and against an address"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0027"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "provider_post",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_post")),
        sa.UniqueConstraint("source", "blob_key", name=op.f("uq_provider_post_source_blob_key")),
    )
    op.create_index(op.f("ix_provider_post_read_at"), "provider_post", ["read_at"])
    op.add_column("delivery", sa.Column("intent", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("suppression", sa.Column("evidence", sa.Text(), nullable=False, server_default=""))
    op.add_column("suppression", sa.Column("released_because", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("suppression", "released_because")
    op.drop_column("suppression", "evidence")
    op.drop_column("delivery", "intent")
    op.drop_table("provider_post")
