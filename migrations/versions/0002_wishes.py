"""Wishes: stock reports, restocks, returns and purchases; consents; wishes, waves and offers; keys for the API"""

import sqlalchemy as sa
from alembic import op

from concierge.db import BigId, Instant

revision = "0002"
down_revision = "0001"

# Added one by one: rebuilding a table on SQLite would drop it first, and with it what hangs on it.
COLUMNS = (
    ("customer", "tier", "VARCHAR(20) NOT NULL DEFAULT ''"),
    ("variant", "on_hand", "INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_variant_on_hand CHECK (on_hand >= 0)"),
    ("variant", "promised", "INTEGER NOT NULL DEFAULT 0 CONSTRAINT ck_variant_promised CHECK (promised >= 0)"),
    ("variant", "safety_minimum", "INTEGER NOT NULL DEFAULT 0"),
)


def upgrade() -> None:
    for table, column, kind in COLUMNS:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    op.add_column("stock_level", sa.Column("version", BigId, nullable=True))
    op.add_column("variant", sa.Column("offered_from", Instant(), nullable=True))
    op.execute(
        "UPDATE variant SET on_hand = (SELECT coalesce(sum(stock_level.on_hand), 0) FROM stock_level"
        " WHERE stock_level.variant_id = variant.id)"
    )
    op.create_index(
        "ix_variant_given_away",
        "variant",
        ["on_hand"],
        sqlite_where=sa.text("on_hand > 0"),
        postgresql_where=sa.text("on_hand > 0"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["editor.id"], name=op.f("fk_api_key_created_by_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_key_hash")),
    )
    op.create_table(
        "consent",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_way", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_consent_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_customer", "consent", ["customer_id", "purpose"])

    op.create_table(
        "import_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "applied",
                "discarded",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("blob_key", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["editor.id"], name=op.f("fk_import_run_created_by_id_editor")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["editor.id"], name=op.f("fk_import_run_settled_by_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_table(
        "wave_policy",
        sa.Column("id", BigId, nullable=False),
        sa.Column(
            "rule",
            sa.Enum("one_per_unit", "bounded", name="rule", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("prior_taken", sa.Double(), nullable=False),
        sa.Column("prior_passed", sa.Double(), nullable=False),
        sa.Column("hold_hours", sa.Double(), nullable=False),
        sa.Column("wakes_at", sa.Integer(), nullable=False),
        sa.Column("sleeps_at", sa.Integer(), nullable=False),
        sa.Column("head_starts", sa.JSON(), nullable=False),
        sa.Column("tier_share", sa.Double(), nullable=False),
        sa.Column("desk_minutes", sa.Integer(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("saved_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["saved_by_id"], ["editor.id"], name=op.f("fk_wave_policy_saved_by_id_editor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_policy")),
    )
    op.create_table(
        "purchase",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=True),
        sa.Column("normalised", sa.String(length=320), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("hold_token", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("unsettled", sa.Integer(), nullable=False),
        sa.Column("matched_at", Instant(), nullable=True),
        sa.Column("returned_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_purchase_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_purchase_variant_id_variant"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_purchase_source_external_id")),
    )
    op.create_index("ix_purchase_customer", "purchase", ["customer_id", "at"])
    op.create_index(op.f("ix_purchase_normalised"), "purchase", ["normalised"])
    op.create_index(
        "ix_purchase_unmatched",
        "purchase",
        ["id"],
        sqlite_where=sa.text("matched_at IS NULL"),
        postgresql_where=sa.text("matched_at IS NULL"),
    )
    op.create_index("ix_purchase_variant", "purchase", ["variant_id", "at"])

    op.create_table(
        "returned_unit",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("location", sa.String(length=40), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "announced",
                "in_transit",
                "inspected",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("expected_on", Instant(), nullable=True),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("announced_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_returned_unit_variant_id_variant"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returned_unit")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_returned_unit_source_external_id")),
    )
    op.create_index("ix_returned_unit_variant", "returned_unit", ["variant_id", "state"])

    op.create_table(
        "stock_event",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("location", sa.String(length=40), nullable=False),
        sa.Column(
            "report",
            sa.Enum("snapshot", "delta", name="report", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("version", BigId, nullable=True),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "applied",
                "late",
                "waiting",
                "refused",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("import_run_id", BigId, nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["editor.id"], name=op.f("fk_stock_event_decided_by_id_editor")),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_run.id"], name=op.f("fk_stock_event_import_run_id_import_run")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_stock_event_variant_id_variant"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_event")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_stock_event_source_external_id")),
    )
    op.create_index(op.f("ix_stock_event_import_run_id"), "stock_event", ["import_run_id"])
    op.create_index("ix_stock_event_state", "stock_event", ["state", "id"])
    op.create_index("ix_stock_event_variant", "stock_event", ["variant_id", "id"])

    op.create_table(
        "variant_alias",
        sa.Column("id", BigId, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_variant_alias_variant_id_variant"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_alias")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_variant_alias_source_external_id")),
    )
    op.create_index(op.f("ix_variant_alias_variant_id"), "variant_alias", ["variant_id"])

    op.create_table(
        "restock",
        sa.Column("id", BigId, nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("stock_event_id", BigId, nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("flapped", sa.Boolean(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stock_event_id"], ["stock_event.id"], name=op.f("fk_restock_stock_event_id_stock_event")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_restock_variant_id_variant"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restock")),
    )
    op.create_index("ix_restock_variant", "restock", ["variant_id", "id"])

    op.create_table(
        "wish",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("product_id", BigId, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "unconfirmed",
                "waiting",
                "offered",
                "fulfilled",
                "withdrawn",
                "expired",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "way",
            sa.Enum("editor", "form", "api", name="way", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("needed_by", sa.Date(), nullable=True),
        sa.Column("ceiling_cents", sa.Integer(), nullable=True),
        sa.Column("or_similar", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("mailbox_id", BigId, nullable=False),
        sa.Column("conversation_id", BigId, nullable=True),
        sa.Column("editor_id", BigId, nullable=True),
        sa.Column("message_id", BigId, nullable=True),
        sa.Column("consent_id", BigId, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("rank_at", Instant(), nullable=True),
        sa.Column("moved_at", Instant(), nullable=True),
        sa.Column("moved_by_id", BigId, nullable=True),
        sa.Column("moved_because", sa.String(length=400), nullable=False),
        sa.Column("rests_until", Instant(), nullable=True),
        sa.Column("skipped_because", sa.String(length=60), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column(
            "ended_because",
            sa.Enum(
                "bought",
                "bought_elsewhere",
                "withdrawn_by_her",
                "withdrawn_by_editor",
                "unsubscribed",
                "never_confirmed",
                "too_old",
                "needed_by_passed",
                "passed_on_it",
                "customer_erased",
                name="ended_because",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(state IN ('fulfilled', 'withdrawn', 'expired')) = (ended_at IS NOT NULL)",
            name=op.f("ck_wish_ended_state"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_wish_ending")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_wish_quantity")),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_wish_consent_id_consent")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_wish_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_wish_customer_id_customer")),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_wish_editor_id_editor")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_wish_mailbox_id_mailbox")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_wish_message_id_message")),
        sa.ForeignKeyConstraint(["moved_by_id"], ["editor.id"], name=op.f("fk_wish_moved_by_id_editor")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_wish_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish")),
    )
    op.create_index("ix_wish_conversation", "wish", ["conversation_id"])
    op.create_index("ix_wish_customer", "wish", ["customer_id", "id"])
    op.create_index("ix_wish_expires", "wish", ["state", "expires_at"])
    op.create_index("ix_wish_product", "wish", ["product_id", "state"])

    op.create_table(
        "wave",
        sa.Column("id", BigId, nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("restock_id", BigId, nullable=True),
        sa.Column("policy_id", BigId, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["policy_id"], ["wave_policy.id"], name=op.f("fk_wave_policy_id_wave_policy")),
        sa.ForeignKeyConstraint(["restock_id"], ["restock.id"], name=op.f("fk_wave_restock_id_restock")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_wave_variant_id_variant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave")),
    )
    op.create_index("ix_wave_restock", "wave", ["restock_id"])
    op.create_index("ix_wave_variant", "wave", ["variant_id", "id"])

    op.create_table(
        "wish_request",
        sa.Column("id", BigId, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("normalised", sa.String(length=320), nullable=False),
        sa.Column("product_id", BigId, nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column(
            "way",
            sa.Enum("editor", "form", "api", name="way", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("wish_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_wish_request_delivery_id_delivery")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_wish_request_product_id_product")),
        sa.ForeignKeyConstraint(["wish_id"], ["wish.id"], name=op.f("fk_wish_request_wish_id_wish")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_request")),
    )
    op.create_index("ix_wish_request_address", "wish_request", ["normalised", "product_id", "created_at"])
    op.create_index("ix_wish_request_network", "wish_request", ["network", "created_at"])
    op.create_index(
        "ix_wish_request_mailed",
        "wish_request",
        ["created_at"],
        sqlite_where=sa.text("delivery_id IS NOT NULL"),
        postgresql_where=sa.text("delivery_id IS NOT NULL"),
    )

    op.create_table(
        "wish_variant",
        sa.Column("wish_id", BigId, nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("preference", sa.Integer(), nullable=False),
        sa.Column("is_living", sa.Boolean(), nullable=False),
        sa.Column("is_waiting", sa.Boolean(), nullable=False),
        sa.Column("rank_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_wish_variant_customer_id_customer")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_wish_variant_variant_id_variant")),
        sa.ForeignKeyConstraint(
            ["wish_id"], ["wish.id"], name=op.f("fk_wish_variant_wish_id_wish"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("wish_id", "variant_id", name=op.f("pk_wish_variant")),
    )
    op.create_index(
        "ix_wish_variant_queue",
        "wish_variant",
        ["variant_id", "rank_at", "wish_id"],
        sqlite_where=sa.text("is_waiting"),
        postgresql_where=sa.text("is_waiting"),
    )
    op.create_index(
        "uq_wish_variant_living",
        "wish_variant",
        ["customer_id", "variant_id"],
        unique=True,
        sqlite_where=sa.text("is_living"),
        postgresql_where=sa.text("is_living"),
    )

    op.create_table(
        "offer",
        sa.Column("id", BigId, nullable=False),
        sa.Column("wave_id", BigId, nullable=False),
        sa.Column("wish_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("variant_id", BigId, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "taken",
                "declined",
                "lapsed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("before_by_tier", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("editor_id", BigId, nullable=True),
        sa.Column("covered_for_id", BigId, nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("similar", sa.JSON(), nullable=False),
        sa.Column("leaves_at", Instant(), nullable=False),
        sa.Column("left_at", Instant(), nullable=True),
        sa.Column("delivery_id", BigId, nullable=True),
        sa.Column("message_id", BigId, nullable=True),
        sa.Column("held_until", Instant(), nullable=True),
        sa.Column("hold_left_seconds", sa.Integer(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column(
            "ended_because",
            sa.Enum(
                "bought",
                "bought_elsewhere",
                "passed",
                "not_now",
                "lapsed",
                "bounced",
                "withdrawn",
                "units_gone",
                name="ended_because",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("ck_offer_ending")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_offer_quantity")),
        sa.ForeignKeyConstraint(["covered_for_id"], ["editor.id"], name=op.f("fk_offer_covered_for_id_editor")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_offer_customer_id_customer")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_offer_delivery_id_delivery")),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_offer_editor_id_editor")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_offer_message_id_message")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_offer_variant_id_variant")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_offer_wave_id_wave")),
        sa.ForeignKeyConstraint(["wish_id"], ["wish.id"], name=op.f("fk_offer_wish_id_wish")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index("ix_offer_delivery", "offer", ["delivery_id"])
    op.create_index(
        "ix_offer_desk",
        "offer",
        ["leaves_at"],
        sqlite_where=sa.text("left_at IS NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL AND ended_at IS NULL"),
    )
    op.create_index(
        "ix_offer_lapse",
        "offer",
        ["held_until"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_offer_variant", "offer", ["variant_id", "ended_at"])
    op.create_index("ix_offer_wave", "offer", ["wave_id", "place"])
    op.create_index("ix_offer_wish", "offer", ["wish_id", "id"])
    op.create_index(
        "uq_offer_holding",
        "offer",
        ["wish_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for table in (
        "offer",
        "wish_variant",
        "wish_request",
        "wave",
        "wish",
        "restock",
        "variant_alias",
        "stock_event",
        "returned_unit",
        "purchase",
        "wave_policy",
        "import_run",
        "consent",
        "api_key",
    ):
        op.drop_table(table)
    op.drop_index("ix_variant_given_away", "variant")
    op.drop_column("variant", "offered_from")
    op.drop_column("stock_level", "version")
    for table, column, _kind in reversed(COLUMNS):
        op.drop_column(table, column)
