"""Hosts that code wants to reach, and what people say to it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["thread"], ["threads.id"], name=op.f("fk_approvals_thread"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name=op.f("fk_approvals_turn"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.create_index("ix_approvals_thread", ["thread"], unique=False)
        batch_op.create_index("ix_approvals_turn", ["turn"], unique=False)
