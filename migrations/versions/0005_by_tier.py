"""Whether an offer went to somebody who overtook others by her tier: the running sequence is counted from it"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE offer ADD COLUMN by_tier BOOLEAN NOT NULL DEFAULT false")


def downgrade() -> None:
    op.drop_column("offer", "by_tier")
