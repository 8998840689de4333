"""Stock that arrives in any order: a level's balance, and where a purchase was sold from"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Added one by one: rebuilding a table on SQLite would drop it first, and with it what hangs on it.
    op.execute("ALTER TABLE stock_level ADD COLUMN balance INTEGER NOT NULL DEFAULT 0")
    op.execute("UPDATE stock_level SET balance = on_hand")
    op.execute("ALTER TABLE purchase ADD COLUMN location VARCHAR(40) NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.drop_column("purchase", "location")
    op.drop_column("stock_level", "balance")
