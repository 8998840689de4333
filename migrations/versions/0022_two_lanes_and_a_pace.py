"""What somebody waits for leaves before what is written by the thousand; and how fast mail is handed over at all"""

import sqlalchemy as sa
from alembic import op

from concierge.db import Instant

revision = "0022"
down_revision = "0021"

_BULK = "('offer', 'offer_gone', 'still_wanted')"


def upgrade() -> None:
    for name, which in (("single", f"NOT IN {_BULK}"), ("bulk", f"IN {_BULK}")):
        queued = sa.text(f"coalesce(state, '') = 'queued' AND purpose {which}")
        op.create_index(
            f"ix_delivery_due_{name}",
            "delivery",
            ["due_at", "id"],
            sqlite_where=queued,
            postgresql_where=queued,
        )
    op.create_table(
        "pace",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("empty_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pace")),
    )
    op.execute("INSERT INTO pace (name) VALUES ('provider')")


def downgrade() -> None:
    op.drop_table("pace")
    op.drop_index("ix_delivery_due_bulk", table_name="delivery")
    op.drop_index("ix_delivery_due_single", table_name="delivery")
