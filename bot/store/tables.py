"""The tables. Migrations in `bot.store.migrations` make them; a test holds the two together."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# On SQLite only a plain INTEGER counts upwards by itself.
Number = BigInteger().with_variant(Integer, "sqlite")

threads = Table(
    "threads",
    metadata,
    Column("id", String, primary_key=True),
    Column("team", String, nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float, nullable=False, index=True),
    # The session of the thread: see `sandbox.records`.
    Column("session", JSON),
    Column("box_epoch", BigInteger, nullable=False, server_default="0"),
    Column("expired_at", Float),
)

OPEN = ("queued", "running", "parked")
"""States of a turn that has not ended."""

turns = Table(
    "turns",
    metadata,
    # The order in which they came.
    Column("number", Number, primary_key=True, autoincrement=True),
    # The platform's own key of what was said, and its revision.
    Column("id", String, nullable=False, unique=True),
    Column("key", String, nullable=False, index=True),
    Column("thread", String, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("user", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("message", JSON, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("began_at", Float),
    Column("ended_at", Float),
    Column("not_before", Float),
    Column("worker", String),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("lease_until", Float),
    Column("takeovers", Integer, nullable=False, server_default="0"),
    Column("stop", String),
    Column("outcome", String),
    Index("ix_turns_thread_number", "thread", "number"),
    Index("ix_turns_state_number", "state", "number"),
)

steps = Table(
    "steps",
    metadata,
    Column("turn", String, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("result", JSON),
    Column("epoch", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    # Hosts that code wanted to reach, and what people said: see `bot.store.approvals`.
    Column("id", String, primary_key=True),
    Column("thread", String, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("turn", String, ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("host", String, nullable=False),
    Column("port", Integer, nullable=False),
    Column("until", Float, nullable=False),
    Column("decision", String),
)

rounds = Table(
    "rounds",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("thread", String, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("turn", String, nullable=False),
    Column("part", Integer, nullable=False),
    Column("entries", JSON, nullable=False),
    UniqueConstraint("thread", "turn", "part"),
    Index("ix_rounds_thread_number", "thread", "number"),
)

refused_pictures = Table(
    "refused_pictures",
    metadata,
    Column("thread", String, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String, primary_key=True),
)

notes = Table(
    "notes",
    metadata,
    # What adapters have to remember: which message a post became, say.
    Column("thread", String, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Float, nullable=False),
)

files = Table(
    "files",
    metadata,
    # Which content is still needed, and because of whom: see `bot.store.files`. A blob that no row names goes.
    Column("team", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("thread", String, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    # Empty for what belongs to the thread's session.
    Column("turn", String, primary_key=True, server_default=""),
    Column("user", String, nullable=False, server_default=""),
    Column("name", String, nullable=False, server_default=""),
    Column("size_bytes", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Index("ix_files_thread", "thread"),
    Index("ix_files_user", "team", "user"),
    Index("ix_files_turn", "turn"),
)

usage = Table(
    "usage",
    metadata,
    # Counted once: the step that it was spent in is part of the key.
    Column("turn", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("user", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("model", String, nullable=False, server_default=""),
    Column("input_tokens", BigInteger, nullable=False, server_default="0"),
    Column("output_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cached_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cost_usd", Float),
    Column("sandbox_seconds", Float, nullable=False, server_default="0"),
    Index("ix_usage_at", "at"),
    Index("ix_usage_user", "team", "user", "at"),
)

budgets = Table(
    "budgets",
    metadata,
    # What is spent and reserved, by whom, in which day or month: `user:T1/U1`, `2026-11-25`; `all`, `2026-11`.
    Column("scope", String, primary_key=True),
    Column("period", String, primary_key=True),
    Column("what", String, primary_key=True),
    Column("amount", Float, nullable=False, server_default="0"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("turn", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("amounts", JSON, nullable=False),
    Column("at", Float, nullable=False),
)

switches = Table(
    "switches",
    metadata,
    # What operators decide while it runs: `pause`, `block:T1/U1`.
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("by", String, nullable=False, server_default=""),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("team", String, nullable=False, server_default=""),
    Column("thread", String, nullable=False, server_default="", index=True),
    Column("turn", String, nullable=False, server_default=""),
    Column("user", String, nullable=False, server_default=""),
    Column("facts", JSON, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("turn", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("thread", String, nullable=False),
    Column("value", String, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("at", Float, nullable=False),
)

seen = Table(
    "seen",
    metadata,
    # What adapters note, by keys of their own: see `bot.store.memory`.
    Column("place", String, primary_key=True),
    Column("position", String, nullable=False),
    Column("at", Float, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String, primary_key=True),
    Column("heard_at", Float, nullable=False),
    Column("draining", Boolean, nullable=False, server_default="0"),
)

incidents = Table(
    "incidents",
    metadata,
    # What an operator has to hear of, once: see `bot.incidents`.
    Column("key", String, primary_key=True),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("told_at", Float),
)
