"""Whether mail is from where it says, by what others found of it"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("message", sa.Column("authentic", sa.Boolean(), nullable=True))
    op.add_column("inbound_mail", sa.Column("verdicts", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("inbound_mail", "verdicts")
    op.drop_column("message", "authentic")
