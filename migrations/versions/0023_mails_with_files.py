"""Which mails have files, for the search, without a look at every file and picture"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0025"


def upgrade() -> None:
    files = sa.text("NOT inline")
    op.create_index("ix_attachment_files", "attachment", ["message_id"], sqlite_where=files, postgresql_where=files)


def downgrade() -> None:
    op.drop_index("ix_attachment_files", table_name="attachment")
