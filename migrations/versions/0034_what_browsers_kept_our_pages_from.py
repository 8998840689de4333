"""What browsers kept our pages from doing, counted"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "breach",
        sa.Column("id", BigId, nullable=False),
        sa.Column("page", sa.String(length=80), nullable=False),
        sa.Column("directive", sa.String(length=40), nullable=False),
        sa.Column("blocked", sa.String(length=100), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach")),
        sa.UniqueConstraint("page", "directive", "blocked", name=op.f("uq_breach_page_directive_blocked")),
    )
    op.create_index(op.f("ix_breach_last_at"), "breach", ["last_at"])


def downgrade() -> None:
    op.drop_table("breach")
