"""Copies of the worker, and which of them is the clock"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "worker_copy",
        sa.Column("id", BigId, nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("provider", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_copy")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("copy_id", BigId, nullable=True),
        sa.Column("number", BigId, nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.execute("INSERT INTO lease (name, number) VALUES ('clock', 0)")


def downgrade() -> None:
    op.drop_table("lease")
    op.drop_table("worker_copy")
