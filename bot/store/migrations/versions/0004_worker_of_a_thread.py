"""Who has worked in a thread last stands with its turns: to write it down twice cost a statement for each turn."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Not as a batch: on SQLite that makes the table anew, and all that hangs on the old one would go with it.
    op.drop_column("threads", "worker")
