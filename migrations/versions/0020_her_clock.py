"""What the dates of her mails say of her time zone"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("customer", sa.Column("offsets", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("customer", sa.Column("mail_zone", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("customer", "mail_zone")
    op.drop_column("customer", "offsets")
