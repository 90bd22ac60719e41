"""Copies of artifacts where the asker finds them."""

import hashlib
import shutil
from pathlib import Path

from bot.attachments import safe_name, unique_name
from bot.execution import Artifact


def save(artifact: Artifact, folder: Path) -> Path:
    """The file under its own name; `chart (2).png` where another file has it. Nothing is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    name = safe_name(artifact.name)
    if _is_the_same(folder / name, artifact):
        return folder / name
    path = folder / unique_name(name, {each.name for each in folder.iterdir()})
    with artifact.path.open("rb") as source, path.open("xb") as target:
        shutil.copyfileobj(source, target)
    return path


def _is_the_same(path: Path, artifact: Artifact) -> bool:
    if not path.is_file() or path.stat().st_size != artifact.size_bytes:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == artifact.sha256
