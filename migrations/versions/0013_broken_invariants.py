"""Broken invariants, while they are"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "broken_invariant",
        sa.Column("id", BigId, nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broken_invariant")),
        sa.UniqueConstraint(
            "rule", "subject_type", "subject_id", name=op.f("uq_broken_invariant_rule_subject_type_subject_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("broken_invariant")
