"""The wishes of each product counted, and of each variant only what the board says of it"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0008"
down_revision = "0007"

# Kept by variant until now; the figures of the house hold their sums.
COLUMNS = (
    ("units", "INTEGER"), ("units_by_age", "JSON"), ("likely_units", "DOUBLE PRECISION"), ("oldest_at", "TIMESTAMP"),
    ("gone", "INTEGER"), ("gone_units", "INTEGER"), ("gone_likely_units", "DOUBLE PRECISION"), ("sold", "INTEGER"),
)  # fmt: skip


def upgrade() -> None:
    # All of it is counted anew by the worker.
    op.execute("DELETE FROM variant_tally")
    op.execute("DELETE FROM demand_count")
    for column, _kind in COLUMNS:
        op.execute(f"ALTER TABLE variant_tally DROP COLUMN {column}")
    op.create_table(
        "product_tally",
        sa.Column("product_id", BigId, nullable=False),
        sa.Column("wishes", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("value_cents", sa.BigInteger(), nullable=False),
        sa.Column("likely_cents", sa.BigInteger(), nullable=False),
        sa.Column("wishes_by_age", sa.JSON(), nullable=False),
        sa.Column("units_by_age", sa.JSON(), nullable=False),
        sa.Column("oldest_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_tally_product_id_product"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_tally")),
    )


def downgrade() -> None:
    op.drop_table("product_tally")
    op.execute("DELETE FROM variant_tally")
    for column, kind in COLUMNS:
        default = "" if column == "oldest_at" else " NOT NULL DEFAULT 0"
        op.execute(f"ALTER TABLE variant_tally ADD COLUMN {column} {kind}{default}")
