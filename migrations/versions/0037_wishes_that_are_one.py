"""Wishes that end because she had them twice"""

from alembic import op

revision = "0037"
down_revision = "0036"

_LAST = "'customer_erased'"
_MORE = f"{_LAST}, 'joined'"
_RULE = "ck_wish_ended_because"
_REASONS = (
    "'bought', 'bought_elsewhere', 'withdrawn_by_her', 'withdrawn_by_editor', 'unsubscribed', 'never_confirmed', "
    f"'too_old', 'needed_by_passed', 'passed_on_it', {_LAST}"
)


def upgrade() -> None:
    _allow(_REASONS, _REASONS.replace(_LAST, _MORE))


def downgrade() -> None:
    op.execute("UPDATE wish SET ended_because = 'withdrawn_by_editor' WHERE ended_because = 'joined'")
    _allow(_REASONS.replace(_LAST, _MORE), _REASONS)


def _allow(before: str, after: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f(_RULE), "wish")
        op.create_check_constraint(op.f(_RULE), "wish", f"ended_because IN ({after})")
        return
    # SQLite changes no CHECK. Many tables refer to this one, so its words are changed where they stand: a wider CHECK
    # changes nothing of what is on the disk (sqlite.org/lang_altertable.html#otheralter).
    run = op.get_bind().exec_driver_sql
    words = run("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'wish'").scalar_one()
    assert words.count(before) == 1, words
    version = run("PRAGMA schema_version").scalar_one()
    run("PRAGMA writable_schema = ON")
    run("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'wish'", (words.replace(before, after),))
    run(f"PRAGMA schema_version = {version + 1}")
    run("PRAGMA writable_schema = RESET")
    run("SELECT id FROM wish LIMIT 1").all()  # the words are read again, and make sense
