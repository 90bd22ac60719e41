"""Files are kept for a turn, so that they can go with it; and incidents."""

import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Nothing has written into it before: what it should say is found in the steps and sessions.
    op.drop_table("files")
    files = op.create_table(
        "files",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), server_default="", nullable=False),
        sa.Column("user", sa.String(), server_default="", nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["thread"], ["threads.id"], name=op.f("fk_files_thread"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("team", "sha256", "thread", "kind", "turn", name=op.f("pk_files")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index("ix_files_thread", ["thread"], unique=False)
        batch_op.create_index("ix_files_user", ["team", "user"], unique=False)
        batch_op.create_index("ix_files_turn", ["turn"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("last_at", sa.Float(), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_incidents")),
    )
    rows = {(row["team"], row["sha256"], row["thread"], row["kind"], row["turn"]): row for row in _named()}
    if rows:
        op.bulk_insert(files, list(rows.values()))


def _named() -> Iterator[dict[str, Any]]:
    """A row for each file that a step or a session names."""
    connection, now = op.get_bind(), time.time()
    threads = sa.table("threads", sa.column("id"), sa.column("team"), sa.column("session", sa.JSON))
    turns = sa.table("turns", sa.column("id"), sa.column("thread"), sa.column("user"))
    steps = sa.table("steps", sa.column("turn"), sa.column("result", sa.JSON))
    team_of = {}
    for thread in connection.execute(sa.select(threads)):
        team_of[thread.id] = thread.team
        facts = {"team": thread.team, "thread": thread.id, "turn": "", "user": "", "at": now}
        session = thread.session or {}
        for name, file in session.get("files", {}).items():
            yield {
                **facts,
                "kind": "session",
                "sha256": file["sha256"],
                "name": name,
                "size_bytes": file["size_bytes"],
            }
        for name, sha256 in session.get("packages", {}).items():
            yield {**facts, "kind": "package", "sha256": sha256, "name": name, "size_bytes": 0}
    found = connection.execute(
        sa.select(steps.c.turn, steps.c.result, turns.c.thread, turns.c.user).join_from(
            steps, turns, turns.c.id == steps.c.turn
        )
    )
    for step in found:
        facts = {
            "team": team_of[step.thread],
            "thread": step.thread,
            "turn": step.turn,
            "user": step.user,
            "at": now,
        }
        for file in _files_in(step.result):
            kind = "upload" if "uploaded_at" in file else "artifact" if "path" in file else "picture"
            yield {
                **facts,
                "kind": kind,
                "sha256": file["sha256"],
                "name": file["name"],
                "size_bytes": file.get("size_bytes", 0),
            }


def _files_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "sha256" in value and "name" in value:
            yield value
        for each in value.values():
            yield from _files_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _files_in(each)
