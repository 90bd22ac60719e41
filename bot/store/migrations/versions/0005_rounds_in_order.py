"""A thread's rounds are read in their order, not read and then sorted: there are hundreds in a long one."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_rounds_thread_number", "rounds", ["thread", "number"])
