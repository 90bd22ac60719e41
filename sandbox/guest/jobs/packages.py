"""The job that keeps installed packages: which there are, one of them as an archive, and such an archive unpacked."""

import csv
import io
import json
import os
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PREFIX = Path("/packages")
UNPACKED_BYTES = 1024 * 1024 * 1024


def run(args: dict[str, Any], payload: bytes) -> bytes:
    """`args["do"]`: list → a JSON list of names; pack, with `name` → an archive; unpack → nothing.

    Raises `OSError`, `ValueError`.
    """
    match args["do"]:
        case "list":
            names = sorted(folder.name.removesuffix(".dist-info") for folder in site().glob("*.dist-info"))
            return json.dumps(names).encode()
        case "pack":
            return _packed(str(args["name"]))
        case "unpack":
            _unpack(payload)
            return b""
        case other:
            raise ValueError(other)


def site(prefix: Path = PREFIX) -> Path:
    """Where the modules lie that pip installs under that prefix."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(prefix), "platbase": str(prefix)}))


def _packed(name: str) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in _files_of(name):
            archive.write(path, path.relative_to(PREFIX))
    return into.getvalue()


def _files_of(name: str) -> Iterator[Path]:
    """As the installed package lists them; byte code is made again."""
    record = site() / f"{name}.dist-info" / "RECORD"
    with record.open(newline="") as file:
        for row in csv.reader(file):
            path = Path(os.path.normpath(site() / row[0]))
            if (
                path.is_relative_to(PREFIX)
                and path.suffix != ".pyc"
                and path.is_file()
                and not path.is_symlink()
            ):
                yield path


def _unpack(payload: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        if sum(each.file_size for each in archive.infolist()) > UNPACKED_BYTES:
            raise ValueError("larger than any package may be")
        archive.extractall(PREFIX)
    for script in (PREFIX / "bin").glob("*"):
        script.chmod(0o755)
