"""What was counted of the wishes, how far a re-ranking has come, and the two shelves wishes are read from"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0003"
down_revision = "0002"

IS_OPEN = sa.text("ended_at IS NULL AND confirmed_at IS NOT NULL")
IS_ENDED = sa.text("ended_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "demand_count",
        sa.Column("id", BigId, nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("counted_at", Instant(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("pulse", BigId, nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_count")),
    )
    op.create_table(
        "variant_tally",
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("product_id", BigId, nullable=False),
        sa.Column("wishes", sa.Integer(), nullable=False),
        sa.Column("also", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("wishes_by_age", sa.JSON(), nullable=False),
        sa.Column("units_by_age", sa.JSON(), nullable=False),
        sa.Column("likely_units", sa.Double(), nullable=False),
        sa.Column("oldest_at", Instant(), nullable=True),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("gone_units", sa.Integer(), nullable=False),
        sa.Column("gone_likely_units", sa.Double(), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("on_its_way", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_variant_tally_variant_id_variant"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_variant_tally_product_id_product"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("variant_id", name=op.f("pk_variant_tally")),
    )
    op.create_index("ix_variant_tally_product", "variant_tally", ["product_id"])
    op.create_table(
        "reranking",
        sa.Column("policy_id", BigId, nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("upto_wish_id", BigId, nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["policy_id"], ["wave_policy.id"], name=op.f("fk_reranking_policy_id_wave_policy")),
        sa.PrimaryKeyConstraint("policy_id", name=op.f("pk_reranking")),
    )
    op.create_index("ix_wish_open", "wish", ["confirmed_at", "id"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
    op.create_index("ix_wish_ended", "wish", ["ended_at", "id"], sqlite_where=IS_ENDED, postgresql_where=IS_ENDED)


def downgrade() -> None:
    op.drop_index("ix_wish_ended", "wish")
    op.drop_index("ix_wish_open", "wish")
    for table in ("reranking", "variant_tally", "demand_count"):
        op.drop_table(table)
