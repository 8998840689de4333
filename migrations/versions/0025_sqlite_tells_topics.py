"""SQLite counts what was stored, so that the worker wakes those alone whom it concerns"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0020"

# topic, table, what happens, and when of it; as migrations 0009 and 0011 have it for PostgreSQL. SQLite's triggers are
# run for each row, and name one event each.
TRIGGERS = (
    ("mail", "inbound_mail", "INSERT", ""),
    ("mail", "inbound_mail", "UPDATE OF state, claimed_at", "NEW.state = 'received' AND NEW.claimed_at IS NULL"),
    ("message", "message", "INSERT", ""),
    ("answer", "draft", "INSERT", "NEW.due_at IS NOT NULL"),
    ("answer", "draft", "UPDATE OF due_at", "NEW.due_at IS NOT NULL"),
    ("delivery", "delivery", "INSERT", ""),
    ("delivery", "delivery", "UPDATE OF state", "NEW.state = 'queued' AND OLD.state <> 'queued'"),
    (
        "outcome",
        "delivery",
        "UPDATE OF state",
        "NEW.state IN ('bounced', 'rejected', 'failed', 'uncertain', 'withheld', 'deferred')"
        " AND OLD.state <> NEW.state",
    ),
    ("stock", "stock_event", "INSERT", ""),
    ("stock", "stock_event", "UPDATE OF state", ""),
    ("purchase", "purchase", "INSERT", ""),
    ("wish", "wish", "INSERT", ""),
    ("wish", "wish", "UPDATE OF state, rests_until", ""),
    ("offer", "offer", "INSERT", ""),
    ("offer", "offer", "UPDATE OF state, ended_at, leaves_at, held_until", ""),
    ("follow_up", "follow_up", "INSERT", ""),
    ("follow_up", "follow_up", "UPDATE OF due_at, asked_at", ""),
    ("policy", "wave_policy", "INSERT", ""),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    nudge = op.create_table(
        "nudge",
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_nudge")),
    )
    op.bulk_insert(nudge, [{"topic": topic, "number": 0} for topic in sorted({topic for topic, *_ in TRIGGERS})])
    for topic, table, event, condition in TRIGGERS:
        name = f"nudge_{topic}_{event.split()[0].lower()}"
        when = f" WHEN {condition}" if condition else ""
        counts = f"UPDATE nudge SET number = number + 1 WHERE topic = '{topic}'"  # noqa: S608 - words from above
        op.execute(f'CREATE TRIGGER {name} AFTER {event} ON "{table}" FOR EACH ROW{when} BEGIN {counts}; END')


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for topic, _table, event, _condition in TRIGGERS:
        op.execute(f"DROP TRIGGER nudge_{topic}_{event.split()[0].lower()}")
    op.drop_table("nudge")
