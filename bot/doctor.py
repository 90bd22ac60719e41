"""Is everything there that the bot needs? Each check says what it found, and the command that mends it."""

import hashlib
import os
from pathlib import Path

from bot.checks import Check, disk, shown_size
from bot.config import Settings, machine_bytes
from bot.transcript import DataMode

LEAST_DATA_BYTES = 1024**3
"""Free where transcripts and files are kept."""
SOURCES = ("Dockerfile", "sandbox/__init__.py", "sandbox/wire.py", "sandbox/guest")
"""What the sandbox's image is made of, as in setup/image.sh."""


def data_dir(settings: Settings) -> Check:
    folder = settings.data_dir
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return Check("data", False, f"{folder} cannot be written to.", "set DATA_DIR to a directory of yours")
    return disk("data", folder, LEAST_DATA_BYTES, "set DATA_DIR to a directory with more room")


def memory(settings: Settings) -> Check:
    """Whether one container fits into what is free now."""
    wanted, free = settings.limits.memory_bytes, _available_bytes()
    detail = f"{shown_size(free)} of {shown_size(machine_bytes())} free; one container may take {shown_size(wanted)}."
    half = f"LIMITS__MEMORY_BYTES={wanted // 2} LIMITS__WORKSPACE_BYTES={wanted // 8}"
    return Check(
        "memory", free >= wanted, detail, "" if free >= wanted else f"end other programs, or set {half}"
    )


def endpoint_reads(settings: Settings) -> Check:
    """Exactly what leaves this machine."""
    if settings.model_script:
        return Check("privacy", True, "Nothing leaves this machine: a script plays the model's part.")
    mode = settings.model_data
    detail = f"{settings.endpoint_host} gets {_SENT[mode]} (MODEL_DATA={mode}). See docs/privacy.md."
    return Check("privacy", True, detail)


_SENT: dict[DataMode, str] = {
    "full": (
        "questions, the asker's name, names of files, profiles of attached files with sample rows, what cells print, "
        "charts and attached pictures"
    ),
    "schema": (
        "questions, the asker's name, names of attached files, names and types of their columns, how cells ended; no "
        "values, no output, no pictures"
    ),
}


def source_hash(root: Path) -> str | None:
    """What an image made from the code under `root` is labelled with; None where that code is not complete."""
    if not all((root / each).exists() for each in SOURCES):
        return None
    files = [file for each in SOURCES for file in _files(root / each)]
    names = sorted(file.relative_to(root).as_posix().encode() for file in files)
    lines = [f"{_sha256(root / os.fsdecode(name))}  {os.fsdecode(name)}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _available_bytes() -> int:
    """What could be used without swapping, as far as the system says it."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return machine_bytes()
