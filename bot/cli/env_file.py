"""Secrets for the next start, in a file `.env` that nobody else may read."""

import os
from collections.abc import Mapping
from pathlib import Path

from bot.atomic import incoming_in, settle

ONLY_MINE = 0o600


def keep(path: Path, values: Mapping[str, str]) -> None:
    """Each on a line of its own, over an older one; all other lines stay.

    Raises `OSError`, `UnicodeDecodeError`.
    """
    path = path.resolve()
    there = path.read_text("utf-8").splitlines() if path.exists() else []
    lines = [line for line in there if _name(line) not in values]
    lines += [f"{name}={value}" for name, value in values.items()]
    incoming = incoming_in(path.parent)
    try:
        number = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, ONLY_MINE)
        with os.fdopen(number, "wb") as stream:
            stream.write("".join(f"{line}\n" for line in lines).encode())
            settle(stream)
        incoming.replace(path)
    finally:
        incoming.unlink(missing_ok=True)


def _name(line: str) -> str:
    return line.strip().removeprefix("export ").partition("=")[0].strip().upper()
