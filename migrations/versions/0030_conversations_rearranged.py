"""Conversations merged and split, mails moved: what was done, so that it can be undone"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0030"
down_revision = "0028"

_MERGED = sa.text("merged_into_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "rearrangement",
        sa.Column("id", BigId, nullable=False),
        sa.Column(
            "way",
            sa.Enum("merge", "split", "move", name="way", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("source_id", BigId, nullable=False),
        sa.Column("target_id", BigId, nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("done_at", Instant(), nullable=False),
        sa.Column("done_by_id", BigId, nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.Column("undone_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["conversation.id"], name=op.f("fk_rearrangement_source_id_conversation")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["conversation.id"], name=op.f("fk_rearrangement_target_id_conversation")
        ),
        sa.ForeignKeyConstraint(["done_by_id"], ["editor.id"], name=op.f("fk_rearrangement_done_by_id_editor")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["editor.id"], name=op.f("fk_rearrangement_undone_by_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rearrangement")),
    )
    op.add_column("conversation", sa.Column("merged_into_id", BigId, nullable=True))
    op.create_index(
        "ix_conversation_merged", "conversation", ["merged_into_id"], sqlite_where=_MERGED, postgresql_where=_MERGED
    )


def downgrade() -> None:
    op.drop_index("ix_conversation_merged", table_name="conversation")
    op.drop_column("conversation", "merged_into_id")
    op.drop_table("rearrangement")
