"""Days on which an editor is away"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0043"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("id", BigId, nullable=False),
        sa.Column("editor_id", BigId, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("stand_in_id", BigId, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_absence_days_in_order")),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["editor.id"], name=op.f("fk_absence_editor_id_editor"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["stand_in_id"], ["editor.id"], name=op.f("fk_absence_stand_in_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index("ix_absence_last_day", "absence", ["last_day"])


def downgrade() -> None:
    op.drop_table("absence")
