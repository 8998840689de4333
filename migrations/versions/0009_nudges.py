"""PostgreSQL tells the worker what was stored; SQLite has nobody to tell, there the worker looks"""

from alembic import op

revision = "0009"
down_revision = "0008"

# topic, table, when; `concierge.nudges.Topic` has the topics. Once a statement where it can be; once a row only where
# few of the rows a statement changes are news.
STATEMENTS = (
    ("mail", "inbound_mail", "INSERT"),
    ("message", "message", "INSERT"),
    ("delivery", "delivery", "INSERT"),
    ("stock", "stock_event", "INSERT OR UPDATE OF state"),
    ("purchase", "purchase", "INSERT"),
    ("wish", "wish", "INSERT OR UPDATE OF state, rests_until"),
    ("offer", "offer", "INSERT OR UPDATE OF state, ended_at, leaves_at, held_until"),
    ("policy", "wave_policy", "INSERT"),
)
ROWS = (
    ("mail", "inbound_mail", "UPDATE OF state, claimed_at", "NEW.state = 'received' AND NEW.claimed_at IS NULL"),
    ("answer", "draft", "INSERT OR UPDATE OF due_at", "NEW.due_at IS NOT NULL"),
    ("delivery", "delivery", "UPDATE OF state", "NEW.state = 'queued' AND OLD.state <> 'queued'"),
    (
        "outcome",
        "delivery",
        "UPDATE OF state",
        "NEW.state IN ('bounced', 'rejected', 'failed', 'uncertain', 'withheld', 'deferred')"
        " AND OLD.state <> NEW.state",
    ),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        "CREATE FUNCTION nudge() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_notify('concierge', TG_ARGV[0]); RETURN NULL; END $$"
    )
    for topic, table, when in STATEMENTS:
        op.execute(
            f'CREATE TRIGGER nudge_{topic} AFTER {when} ON "{table}"'
            f" FOR EACH STATEMENT EXECUTE FUNCTION nudge('{topic}')"
        )
    for topic, table, when, condition in ROWS:
        op.execute(
            f'CREATE TRIGGER nudge_{topic}_again AFTER {when} ON "{table}"'
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION nudge('{topic}')"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION nudge() CASCADE")
