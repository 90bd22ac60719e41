"""Threads, turns, steps, and what they cost."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("team", sa.String(), server_default="", nullable=False),
        sa.Column("thread", sa.String(), server_default="", nullable=False),
        sa.Column("turn", sa.String(), server_default="", nullable=False),
        sa.Column("user", sa.String(), server_default="", nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_thread"), ["thread"], unique=False)

    op.create_table(
        "budgets",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("amount", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("scope", "period", "what", name=op.f("pk_budgets")),
    )
    op.create_table(
        "feedback",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("turn", "user", name=op.f("pk_feedback")),
    )
    op.create_table(
        "reservations",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("amounts", sa.JSON(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("turn", "step", name=op.f("pk_reservations")),
    )
    op.create_table(
        "seen",
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_seen")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "threads",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.Column("session", sa.JSON(), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("box_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expired_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_threads_team"), ["team"], unique=False)
        batch_op.create_index(batch_op.f("ix_threads_used_at"), ["used_at"], unique=False)

    op.create_table(
        "usage",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("model", sa.String(), server_default="", nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("sandbox_seconds", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("turn", "step", name=op.f("pk_usage")),
    )
    with op.batch_alter_table("usage", schema=None) as batch_op:
        batch_op.create_index("ix_usage_at", ["at"], unique=False)
        batch_op.create_index("ix_usage_user", ["team", "user", "at"], unique=False)

    op.create_table(
        "workers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("heard_at", sa.Float(), nullable=False),
        sa.Column("draining", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "files",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("user", sa.String(), server_default="", nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["thread"], ["threads.id"], name=op.f("fk_files_thread"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("team", "sha256", "thread", "kind", name=op.f("pk_files")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index("ix_files_thread", ["thread"], unique=False)
        batch_op.create_index("ix_files_user", ["team", "user"], unique=False)

    op.create_table(
        "notes",
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["thread"], ["threads.id"], name=op.f("fk_notes_thread"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("thread", "key", name=op.f("pk_notes")),
    )
    op.create_table(
        "refused_pictures",
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread"], ["threads.id"], name=op.f("fk_refused_pictures_thread"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("thread", "sha256", name=op.f("pk_refused_pictures")),
    )
    op.create_table(
        "rounds",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("entries", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread"], ["threads.id"], name=op.f("fk_rounds_thread"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rounds")),
        sa.UniqueConstraint("thread", "turn", "part", name=op.f("uq_rounds_thread_turn_part")),
    )
    op.create_table(
        "turns",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("began_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("not_before", sa.Float(), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stop", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["thread"], ["threads.id"], name=op.f("fk_turns_thread"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_turns")),
        sa.UniqueConstraint("id", name=op.f("uq_turns_id")),
    )
    with op.batch_alter_table("turns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_turns_key"), ["key"], unique=False)
        batch_op.create_index("ix_turns_state_number", ["state", "number"], unique=False)
        batch_op.create_index("ix_turns_thread_number", ["thread", "number"], unique=False)

    op.create_table(
        "steps",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name=op.f("fk_steps_turn"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn", "name", name=op.f("pk_steps")),
    )
