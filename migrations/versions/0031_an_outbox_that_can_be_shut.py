"""A restored copy sends nothing until somebody opens its outbox"""

import secrets

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    outbox = op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("house", sa.String(length=32), nullable=False),
        sa.Column("mark", BigId, nullable=False),
        sa.Column("shut_at", Instant(), nullable=True),
        sa.Column("why", sa.String(length=24), nullable=False),
        sa.Column("asks_until", Instant(), nullable=True),
        sa.Column("opened_by_id", BigId, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["editor.id"], name=op.f("fk_outbox_opened_by_id_editor")),
    )
    op.bulk_insert(outbox, [{"id": 1, "house": secrets.token_hex(16), "mark": 0, "why": ""}])


def downgrade() -> None:
    op.drop_table("outbox")
