"""How much one sender sent today is found by its address and the hour"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_inbound_mail_sender", "inbound_mail", ["envelope_from", "received_at"])


def downgrade() -> None:
    op.drop_index("ix_inbound_mail_sender", "inbound_mail")
