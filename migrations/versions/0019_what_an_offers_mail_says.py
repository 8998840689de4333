"""Whether an offer's mail says that the piece is held for her: what is said is kept"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("offer", sa.Column("says_held", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.execute("UPDATE offer SET says_held = holds")


def downgrade() -> None:
    op.drop_column("offer", "says_held")
