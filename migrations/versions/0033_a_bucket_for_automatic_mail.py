"""A bucket for the mails no person sent"""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.execute("INSERT INTO pace (name) VALUES ('automatic')")


def downgrade() -> None:
    op.execute("DELETE FROM pace WHERE name = 'automatic'")
