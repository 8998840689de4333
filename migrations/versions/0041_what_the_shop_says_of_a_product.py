"""Of when the shop's word on a product is, and what other systems call it"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.add_column("product", sa.Column("stated_at", Instant(), nullable=True))
    op.create_table(
        "product_alias",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_alias_product_id_product"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_alias")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_product_alias_source_external_id")),
    )
    op.create_index(op.f("ix_product_alias_external_id"), "product_alias", ["external_id"])
    op.create_index(op.f("ix_product_alias_product_id"), "product_alias", ["product_id"])


def downgrade() -> None:
    op.drop_table("product_alias")
    op.drop_column("product", "stated_at")
