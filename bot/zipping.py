"""Archives for people to take away: written here, and never read."""

import zipfile
from collections.abc import Mapping
from pathlib import Path


def write(to: Path, files: Mapping[str, bytes | str | Path]) -> None:
    """By the name in the archive. Blocks."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if isinstance(content, Path):
                archive.write(content, name)
            else:
                archive.writestr(name, content)
