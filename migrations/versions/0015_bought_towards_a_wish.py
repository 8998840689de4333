"""What was bought towards a wish: given back when the order comes to nothing"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "wish_purchase",
        sa.Column("purchase_id", BigId, nullable=False),
        sa.Column("wish_id", BigId, nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("has_ended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchase.id"], name=op.f("fk_wish_purchase_purchase_id_purchase"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["wish_id"], ["wish.id"], name=op.f("fk_wish_purchase_wish_id_wish"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("purchase_id", name=op.f("pk_wish_purchase")),
    )
    op.create_index(op.f("ix_wish_purchase_wish_id"), "wish_purchase", ["wish_id"], unique=False)


def downgrade() -> None:
    op.drop_table("wish_purchase")
