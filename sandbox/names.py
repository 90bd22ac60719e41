"""Which names a file in a workspace may have. Pure."""

from pathlib import PurePosixPath

NAME_BYTES = 1024


def is_workspace_name(name: str) -> bool:
    """Whether it is a relative path that can only lie beneath the workspace, written in its one plain form."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    parts = name.split("/")
    return 0 < size <= NAME_BYTES and "\0" not in name and not {"", ".", ".."} & set(parts)


def is_by_the_way(name: str) -> bool:
    """Whether the file came about on the way to something else: caches, hidden files, locks of editors."""
    parts = PurePosixPath(name).parts
    return any(part.startswith((".", "~$")) or part == "__pycache__" for part in parts)
