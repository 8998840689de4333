"""Rows a job failed at"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "setback",
        sa.Column("id", BigId, nullable=False),
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("row_id", BigId, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("rests_until", Instant(), nullable=True),
        sa.Column("discarded_at", Instant(), nullable=True),
        sa.Column("discarded_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["discarded_by_id"], ["editor.id"], name=op.f("fk_setback_discarded_by_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setback")),
        sa.UniqueConstraint("job", "row_id", name=op.f("uq_setback_job_row_id")),
    )


def downgrade() -> None:
    op.drop_table("setback")
