"""Promises: what an editor said she would do, and by when"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "promise",
        sa.Column("id", BigId, nullable=False),
        sa.Column("conversation_id", BigId, nullable=False),
        sa.Column("message_id", BigId, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("editor_id", BigId, nullable=False),
        sa.Column("words", sa.String(length=400), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "kept",
                "released",
                "dismissed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("marked_at", Instant(), nullable=False),
        sa.Column("marked_by_id", BigId, nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by_id", BigId, nullable=True),
        sa.Column("kept_late", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name=op.f("ck_promise_settled")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_promise_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_promise_editor_id_editor")),
        sa.ForeignKeyConstraint(["marked_by_id"], ["editor.id"], name=op.f("fk_promise_marked_by_id_editor")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_promise_message_id_message"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["settled_by_id"], ["editor.id"], name=op.f("fk_promise_settled_by_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
        sa.UniqueConstraint("message_id", "place", name=op.f("uq_promise_message_id_place")),
    )
    op.create_index("ix_promise_conversation", "promise", ["conversation_id", "id"], unique=False)
    op.create_index("ix_promise_editor", "promise", ["editor_id", "state", "due_on"], unique=False)


def downgrade() -> None:
    op.drop_table("promise")
