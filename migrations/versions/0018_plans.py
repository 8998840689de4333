"""Plans: named sequences of follow-ups, begun by facts; dates of hers, and when an order was delivered"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0018"
down_revision = "0017"

STARTS = ("hand", "silent", "delivered", "passed", "lapsed", "expired", "date", "closed")
REASONS = (
    "by_editor", "she_wrote", "she_waits", "she_bought", "she_returned", "colleague_wrote", "not_for_us", "no_address",
    "suppressed", "editor_gone", "mailbox_closed", "hole", "unsendable", "too_late",
)  # fmt: skip
OF_PLANS = ("declined", "no_consent", "plan_off", "overlaps", "closed", "wishes", "offered", "promised")
COLUMNS = ("plan_run_id", "plan_step_id")
KEYS = (
    ("fk_follow_up_plan_run_id_plan_run", "plan_run_id", "plan_run", "CASCADE"),
    ("fk_follow_up_plan_step_id_plan_step", "plan_step_id", "plan_step", ""),
)
FIRST_RULE = "\tCONSTRAINT pk_follow_up"
OF_PLAN = "(plan_run_id IS NULL) = (plan_step_id IS NULL)"


def upgrade() -> None:
    _customers()
    _plans()
    _follow_ups()
    _facts()


def _one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _customers() -> None:
    op.add_column("customer", sa.Column("declined_at", Instant(), nullable=True))
    op.create_table(
        "customer_date",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name=op.f("ck_customer_date_day")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_date_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_date")),
        sa.UniqueConstraint("customer_id", "kind", name=op.f("uq_customer_date_customer_id_kind")),
    )
    op.create_index("ix_customer_date_day", "customer_date", ["kind", "month", "day"])


def _plans() -> None:
    op.create_table(
        "plan",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("start", _one_of("start", STARTS), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("template_id", BigId, nullable=True),
        sa.Column("date_kind", sa.String(length=40), nullable=False),
        sa.Column("needs_consent", sa.Boolean(), nullable=False),
        sa.Column("stops_also", sa.JSON(), nullable=False),
        sa.Column("on_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by_id", BigId, nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_plan_name")),
        sa.ForeignKeyConstraint(["changed_by_id"], ["editor.id"], name=op.f("fk_plan_changed_by_id_editor")),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_plan_template_id_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("name", name=op.f("uq_plan_name")),
    )
    op.create_table(
        "plan_step",
        sa.Column("id", BigId, nullable=False),
        sa.Column("plan_id", BigId, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("wait_days", sa.Integer(), nullable=False),
        sa.Column("from_hour", sa.Integer(), nullable=False),
        sa.Column("until_hour", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.String(length=7), nullable=False),
        sa.Column("template_id", BigId, nullable=False),
        sa.Column("needs_yes", sa.Boolean(), nullable=False),
        sa.Column("when_late", _one_of("when_late", ("asked", "skipped", "sent")), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "from_hour >= 0 AND from_hour < until_hour AND until_hour <= 24", name=op.f("ck_plan_step_window")
        ),
        sa.CheckConstraint("wait_days >= 0", name=op.f("ck_plan_step_wait")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_step_plan_id_plan"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_plan_step_template_id_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_step")),
    )
    op.create_index("ix_plan_step_plan", "plan_step", ["plan_id", "place"])
    _runs()


def _runs() -> None:
    op.create_table(
        "plan_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("plan_id", BigId, nullable=False),
        sa.Column("start", _one_of("start", STARTS), nullable=False),
        sa.Column("fact_id", BigId, nullable=False),
        sa.Column("fact_mark", BigId, nullable=False),
        sa.Column("fact_at", Instant(), nullable=False),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("conversation_id", BigId, nullable=False),
        sa.Column("editor_id", BigId, nullable=True),
        sa.Column("since_message_id", BigId, nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("begun_by_id", BigId, nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("because", _one_of("because", REASONS + OF_PLANS), nullable=True),
        sa.CheckConstraint("because IS NULL OR ended_at IS NOT NULL", name=op.f("ck_plan_run_ended")),
        sa.ForeignKeyConstraint(["begun_by_id"], ["editor.id"], name=op.f("fk_plan_run_begun_by_id_editor")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_plan_run_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_plan_run_customer_id_customer")),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_plan_run_editor_id_editor")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_run_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_run")),
        sa.UniqueConstraint(
            "plan_id", "start", "fact_id", "fact_mark", name=op.f("uq_plan_run_plan_id_start_fact_id_fact_mark")
        ),
    )
    op.create_index("ix_plan_run_begun", "plan_run", ["plan_id", "begun_at", "id"])
    op.create_index("ix_plan_run_conversation", "plan_run", ["conversation_id", "id"])
    op.create_index(op.f("ix_plan_run_customer_id"), "plan_run", ["customer_id"])
    _index("uq_plan_run_living", "plan_run", ["plan_id", "customer_id"], "ended_at IS NULL", unique=True)


def _follow_ups() -> None:
    """They may be steps of a run, and have more reasons not to leave."""
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(_widened)
    else:
        for column in COLUMNS:
            op.add_column("follow_up", sa.Column(column, BigId, nullable=True))
        for name, column, table, ondelete in KEYS:
            op.create_foreign_key(name, "follow_up", table, [column], ["id"], ondelete=ondelete or None)
        _check_reasons(REASONS + OF_PLANS)
        op.create_check_constraint(op.f("ck_follow_up_of_plan"), "follow_up", OF_PLAN)
    op.add_column("follow_up", sa.Column("carried_at", Instant(), nullable=True))
    _index("uq_follow_up_step", "follow_up", list(COLUMNS), "plan_run_id IS NOT NULL", unique=True)
    _index(
        "ix_follow_up_uncarried",
        "follow_up",
        ["id"],
        "plan_run_id IS NOT NULL AND carried_at IS NULL AND state <> 'scheduled'",
    )
    op.create_index("ix_follow_up_plan_step", "follow_up", ["plan_step_id", "state", "settled_at"])


def _check_reasons(reasons: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_follow_up_because"), "follow_up")
    op.create_check_constraint(op.f("ck_follow_up_because"), "follow_up", f"because IN ({_quoted(reasons)})")


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{each}'" for each in words)


def _make_anew(change: Callable[[str], str]) -> None:
    """SQLite changes no CHECK: the table is made anew from its own words (sqlite.org/lang_altertable.html#otheralter).

    Nothing refers to it, so foreign keys need not be switched off meanwhile.
    """
    run = op.get_bind().exec_driver_sql
    kept = "FROM sqlite_master WHERE tbl_name = 'follow_up' AND sql IS NOT NULL"
    made = run(f"SELECT sql {kept} AND type = 'table'").scalar_one()
    indexes = run(f"SELECT sql {kept} AND type = 'index'").scalars().all()
    columns = [row[1] for row in run("PRAGMA table_info(follow_up)") if row[1] not in COLUMNS]
    run("ALTER TABLE follow_up RENAME TO follow_up_before")
    run(change(made))
    names = ", ".join(columns)
    run(f"INSERT INTO follow_up ({names}) SELECT {names} FROM follow_up_before")  # noqa: S608
    run("DROP TABLE follow_up_before")
    for index in indexes:
        run(index)


def _widened(made: str) -> str:
    columns = "".join(f"\t{each} INTEGER, \n" for each in COLUMNS)
    rules = [f"CONSTRAINT ck_follow_up_of_plan CHECK ({OF_PLAN})"]
    for name, column, table, ondelete in KEYS:
        on = f" ON DELETE {ondelete}" if ondelete else ""
        rules.append(f"CONSTRAINT {name} FOREIGN KEY({column}) REFERENCES {table} (id){on}")
    assert (made.count(FIRST_RULE), made.count(_quoted(REASONS))) == (1, 1)
    more = made.replace(FIRST_RULE, f"{columns}{FIRST_RULE}").replace(_quoted(REASONS), _quoted(REASONS + OF_PLANS))
    return more.rstrip().removesuffix(")") + "".join(f",\n\t{each}" for each in rules) + "\n)"


def _facts() -> None:
    """What begins plans is found by an index, however much there is."""
    op.add_column("purchase", sa.Column("delivered_at", Instant(), nullable=True))
    _index("ix_purchase_delivered", "purchase", ["delivered_at"], "delivered_at IS NOT NULL")
    _index("ix_conversation_closed", "conversation", ["closed_at"], "closed_by_id IS NOT NULL")
    _index("ix_offer_ended", "offer", ["ended_at"], "ended_because IN ('passed', 'lapsed')")


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table in (
        ("ix_offer_ended", "offer"), ("ix_conversation_closed", "conversation"), ("ix_purchase_delivered", "purchase"),
        ("ix_follow_up_plan_step", "follow_up"), ("ix_follow_up_uncarried", "follow_up"),
        ("uq_follow_up_step", "follow_up"),
    ):  # fmt: skip
        op.drop_index(name, table)
    op.drop_column("purchase", "delivered_at")
    op.execute("DELETE FROM follow_up WHERE plan_run_id IS NOT NULL")
    op.drop_column("follow_up", "carried_at")
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(_narrowed)
    else:
        op.drop_constraint(op.f("ck_follow_up_of_plan"), "follow_up")
        for column in COLUMNS:
            op.drop_column("follow_up", column)
        _check_reasons(REASONS)
    for table in ("plan_run", "plan_step", "plan", "customer_date"):
        op.drop_table(table)
    op.drop_column("customer", "declined_at")


def _narrowed(made: str) -> str:
    names = ("ck_follow_up_of_plan", *(name for name, _column, _table, _on in KEYS))
    lines = [each.rstrip(" ,") for each in made.strip().removesuffix(")").splitlines() if each.strip(" \t,")]
    gone = (*(f"\t{each} " for each in COLUMNS), *(f"\tCONSTRAINT {each} " for each in names))
    head, *rules = [each for each in lines if not each.startswith(gone)]
    return f"{head}\n{f',{chr(10)}'.join(rules)}\n)".replace(_quoted(REASONS + OF_PLANS), _quoted(REASONS))
