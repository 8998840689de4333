"""Follow-ups: mails planned for later that a reply cancels"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "follow_up",
        sa.Column("id", BigId, nullable=False),
        sa.Column("conversation_id", BigId, nullable=False),
        sa.Column("editor_id", BigId, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "scheduled",
                "sent",
                "cancelled",
                "withheld",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("since_message_id", BigId, nullable=False),
        sa.Column("since_at", Instant(), nullable=False),
        sa.Column("wall", sa.DateTime(), nullable=False),
        sa.Column("is_named", sa.Boolean(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("reckoned_from", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("template_version_id", BigId, nullable=True),
        sa.Column("needs_yes", sa.Boolean(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column(
            "asking",
            sa.Enum("planned_so", "late", name="asking", native_enum=False, create_constraint=True, length=24),
            nullable=True,
        ),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("approved_by_id", BigId, nullable=True),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by_id", BigId, nullable=True),
        sa.Column(
            "because",
            sa.Enum(
                "by_editor",
                "she_wrote",
                "she_waits",
                "she_bought",
                "she_returned",
                "colleague_wrote",
                "not_for_us",
                "no_address",
                "suppressed",
                "editor_gone",
                "mailbox_closed",
                "hole",
                "unsendable",
                "too_late",
                name="because",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("message_id", BigId, nullable=True),
        sa.CheckConstraint("(state = 'scheduled') = (settled_at IS NULL)", name=op.f("ck_follow_up_settled")),
        sa.CheckConstraint("(state = 'sent') = (delivery_id IS NOT NULL)", name=op.f("ck_follow_up_delivery")),
        sa.CheckConstraint(
            "(state IN ('cancelled', 'withheld')) = (because IS NOT NULL)", name=op.f("ck_follow_up_because_given")
        ),
        sa.CheckConstraint("body <> ''", name=op.f("ck_follow_up_body")),
        sa.CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", name=op.f("ck_follow_up_approved")),
        sa.CheckConstraint("(asked_at IS NULL) = (asking IS NULL)", name=op.f("ck_follow_up_asking_given")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["editor.id"], name=op.f("fk_follow_up_approved_by_id_editor")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_follow_up_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_follow_up_delivery_id_delivery")),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_follow_up_editor_id_editor")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_follow_up_message_id_message")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["editor.id"], name=op.f("fk_follow_up_settled_by_id_editor")),
        sa.ForeignKeyConstraint(
            ["template_version_id"],
            ["template_version.id"],
            name=op.f("fk_follow_up_template_version_id_template_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index("ix_follow_up_conversation", "follow_up", ["conversation_id", "id"], unique=False)
    op.create_index(op.f("ix_follow_up_delivery_id"), "follow_up", ["delivery_id"], unique=False)
    op.create_index(
        "ix_follow_up_due",
        "follow_up",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'scheduled' AND asked_at IS NULL"),
        postgresql_where=sa.text("state = 'scheduled' AND asked_at IS NULL"),
    )
    op.create_index("ix_follow_up_editor", "follow_up", ["editor_id", "state", "due_at"], unique=False)
    op.create_index("ix_follow_up_settled", "follow_up", ["state", "settled_at", "id"], unique=False)
    op.create_index(
        "uq_follow_up_planned",
        "follow_up",
        ["conversation_id", "editor_id", "wall"],
        unique=True,
        sqlite_where=sa.text("state = 'scheduled'"),
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER nudge_follow_up AFTER INSERT OR UPDATE OF due_at, asked_at ON follow_up"
            " FOR EACH STATEMENT EXECUTE FUNCTION nudge('follow_up')"
        )


def downgrade() -> None:
    op.drop_table("follow_up")
