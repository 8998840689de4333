"""A search that begins at the conversations finds their messages' numbers in the index alone"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_message_conversation", "message", ["conversation_id", "id"])
    op.drop_index("ix_message_conversation_id", "message")


def downgrade() -> None:
    op.create_index("ix_message_conversation_id", "message", ["conversation_id"])
    op.drop_index("ix_message_conversation", "message")
