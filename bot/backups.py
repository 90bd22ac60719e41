"""A copy of the embedded store that fits together, made while the bot works: the database, and every file it names.

A backup is a folder as the data directory is one, and `backup.json`. Made again into the same folder, it copies only
the files that are new.
"""

import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bot import atomic
from bot.folders import folder_name
from bot.store.database import HEAD

DATABASE = "plotline.db"
FACTS = "backup.json"
KEPT_BESIDE = ("endpoints.json",)
"""What was found out about model endpoints: it could be found out again."""
READ_BYTES = 1024 * 1024


class BackupRefused(Exception):
    """`str()` is a sentence for the operator."""


def database(data_dir: Path, folder: Path) -> None:
    """The database as it is at one moment, whoever writes meanwhile. Blocks."""
    if not (data_dir / DATABASE).exists():
        raise BackupRefused(f"There is no {DATABASE} in {data_dir}, so there is nothing to back up.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    incoming = atomic.incoming_in(folder)
    try:
        with closing(_read_only(data_dir / DATABASE)) as source, closing(sqlite3.connect(incoming)) as copy:
            source.backup(copy)
            # One file, whatever the original is: nothing beside it has to be copied along.
            copy.execute("PRAGMA journal_mode=DELETE")
        incoming.replace(folder / DATABASE)
    except sqlite3.Error as error:
        raise BackupRefused(f"The database could not be copied to {folder}: {error}.") from error
    finally:
        incoming.unlink(missing_ok=True)


def files(data_dir: Path, folder: Path) -> dict[str, int]:
    """The files that the copied database names, and the facts about the backup. Blocks.

    Nothing may be removed meanwhile: hold `Blobs.removing` from before the database is copied.
    """
    counts = {"files": 0, "bytes": 0, "missing": 0}
    for team, sha256 in _named(folder / DATABASE):
        source, copy = (each / "blobs" / folder_name(team) / sha256 for each in (data_dir, folder))
        if not source.exists():
            counts["missing"] += 1
            continue
        if not (copy.exists() and copy.stat().st_size == source.stat().st_size):
            _copy(source, copy)
        counts["files"] += 1
        counts["bytes"] += copy.stat().st_size
    for name in KEPT_BESIDE:
        if (data_dir / name).exists():
            _copy(data_dir / name, folder / name)
    facts = {"at": int(time.time()), "revision": HEAD, **counts}
    atomic.write(folder / FACTS, json.dumps(facts).encode())
    return counts


def restore(folder: Path, data_dir: Path) -> dict[str, int]:
    """Into a data directory that holds no store yet. Whatever was at work when the backup was made is ended.

    Raises `BackupRefused`; the data directory is then as it was. Blocks.
    """
    if not ((folder / FACTS).exists() and (folder / DATABASE).exists()):
        raise BackupRefused(f"{folder} is no whole backup: it lacks {FACTS} or {DATABASE}.")
    if (data_dir / DATABASE).exists():
        raise BackupRefused(f"{data_dir} holds a store already: move it away, or set DATA_DIR.")
    revision = str(json.loads((folder / FACTS).read_text())["revision"])
    if revision > HEAD:
        raise BackupRefused(f"The backup was made by a newer version (revision {revision}, here {HEAD}).")
    there = [(team, sha256) for team, sha256 in _named(folder / DATABASE)]
    broken = [sha256 for team, sha256 in there if not _is_whole(folder, team, sha256)]
    if broken:
        raise BackupRefused(
            f"{len(broken)} files of the backup are not what they were, the first is {broken[0]}."
        )
    copied = 0
    for team, sha256 in there:
        source = folder / "blobs" / folder_name(team) / sha256
        if source.exists():
            _copy(source, data_dir / "blobs" / folder_name(team) / sha256)
            copied += 1
    for name in KEPT_BESIDE:
        if (folder / name).exists():
            _copy(folder / name, data_dir / name)
    data_dir.mkdir(parents=True, exist_ok=True)
    incoming = atomic.incoming_in(data_dir)
    shutil.copyfile(folder / DATABASE, incoming)
    ended = _end_what_was_at_work(incoming)
    # Last: before this there is no store.
    incoming.replace(data_dir / DATABASE)
    return {"files": copied, "ended": ended}


def _end_what_was_at_work(file: Path) -> int:
    """It may have been brought to its end after the backup was made; nothing is posted a second time."""
    with closing(sqlite3.connect(file)) as connection:
        done = connection.execute(
            "UPDATE turns SET state = 'ended', outcome = 'cancelled', ended_at = ?, worker = NULL "
            "WHERE state != 'ended'",
            (time.time(),),
        )
        connection.commit()
        return done.rowcount


def _named(file: Path) -> Iterator[tuple[str, str]]:
    with closing(_read_only(file)) as connection:
        found: list[Any] = connection.execute(
            "SELECT DISTINCT team, sha256 FROM files ORDER BY team, sha256"
        ).fetchall()
    yield from found


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


def _is_whole(folder: Path, team: str, sha256: str) -> bool:
    """One that was missing when the backup was made is none that broke."""
    path = folder / "blobs" / folder_name(team) / sha256
    if not path.exists():
        return True
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == sha256


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    incoming = atomic.incoming_in(to.parent)
    try:
        with source.open("rb") as reading, incoming.open("wb") as writing:
            shutil.copyfileobj(reading, writing, READ_BYTES)
            atomic.settle(writing)
        incoming.replace(to)
    finally:
        incoming.unlink(missing_ok=True)
