"""Where the data of a thread lies under the data directory, and which team it belongs to."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from bot.messages import ThreadId

FOLDER_NAME_CHARACTERS = 120


def thread_folder(data_dir: Path, thread: ThreadId) -> Path:
    """What is kept of one thread. Made by whoever writes into it first."""
    return data_dir / "threads" / folder_name(thread)


def team_of(thread: ThreadId) -> str:
    """Whose files may lie beside those of this thread: `slack:T1` of `slack:T1/C1/1`."""
    return thread.split("/")[0]


def folder_name(name: str) -> str:
    """One for each name, readable, and safe on every file system."""
    # Not the folder itself, nor the one above; and no quoted name is a lone %.
    quoted = re.sub(r"^\.", "%2E", quote(name, safe="")) or "%"
    if len(quoted) <= FOLDER_NAME_CHARACTERS:
        return quoted
    return f"{quoted[:80]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
