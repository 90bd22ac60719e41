"""The job that looks into a file: a short description for the model, made without running anything of it."""

import contextlib
import json
import logging
import warnings
from pathlib import Path
from typing import Any

from sandbox.guest.jobs.profiles import (
    archive,
    compound,
    compressed,
    document,
    image,
    mail,
    package,
    parquet,
    pdf,
    rar,
    recording,
    seven_zip,
    store,
    text,
)
from sandbox.guest.jobs.profiles.bounds import OutOfTime, limited_memory, limited_seconds
from sandbox.guest.jobs.profiles.encoding import decode, find_encoding
from sandbox.guest.jobs.profiles.finding import Broken, Encrypted, Finding
from sandbox.guest.jobs.profiles.magic import FILMS, IMAGES, SOUNDS, magic, shown
from sandbox.guest.jobs.profiles.source import Source
from sandbox.guest.jobs.profiles.wording import fit, plain, size

SECONDS = 2.1
"""After these nothing new is begun. A profile may take three, start and answer included."""
HARD_SECONDS = 2.5
"""After these what was begun is broken off."""
TEXT_CHARACTERS = 2500
SCHEMA_CHARACTERS = 1500
RAW_RECORDINGS = frozenset(["mp3", "aac", "ts", "m2ts", "mts", "amr", "h264"])
"""Formats of which some files have no common start."""
RAW_IMAGES = frozenset(["ppm", "pgm", "pbm", "pnm", "tga", "pcx", "dds"])


def run(args: dict[str, Any], _payload: bytes) -> bytes:
    """`args`: name (relative to the folder), folder (/workspace). A JSON object: kind, text and schema."""
    # What libraries think of a stranger's file is for nobody's log.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        finding = profile(Path(args.get("folder", "/workspace")), str(args["name"]))
    answer = {
        "kind": finding.kind,
        "text": fit(finding.text, TEXT_CHARACTERS),
        "schema": fit(finding.schema, SCHEMA_CHARACTERS),
    }
    # Lone surrogates, which some files hold, have no place in UTF-8.
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")


def profile(folder: Path, name: str) -> Finding:
    """Never raises for what the file holds."""
    try:
        source = Source.open(folder, name, SECONDS)
        with limited_seconds(HARD_SECONDS), limited_memory():
            return _look_into(source)
    except Encrypted as error:
        return _sentence("encrypted", str(error))
    except Broken as error:
        return _sentence("broken", str(error))
    except OutOfTime:
        return _sentence("other", "Looking into the file takes too long: read a part of it.")
    except MemoryError:
        return _sentence("other", "Looking into the file takes more memory than there is: read a part of it.")
    except Exception as error:  # parsers of a dozen libraries raise anything on damaged files
        what = "The file is damaged, or of a kind that is not known here"
        kind = type(error).__name__
        return Finding("broken", (f"{what} ({kind}: {plain(error, 120)}).",), (f"{what} ({kind}).",))


def _sentence(kind: str, sentence: str) -> Finding:
    return Finding(kind, (sentence,), (sentence,))


def _look_into(source: Source) -> Finding:
    if source.size == 0:
        return _sentence("other", "The file is empty: 0 bytes.")
    head = source.head(4096)
    kind = magic(head)
    try:
        found = _by_content(source, kind, head)
    except ImportError:
        return _unknown(source, head, kind)
    return found or _unknown(source, head, kind)


def _by_content(source: Source, kind: str | None, head: bytes) -> Finding | None:  # noqa: PLR0911, PLR0912  # one line a kind
    match kind:
        case "zip":
            return package.profile(source)
        case "ole":
            return compound.profile(source)
        case "pdf":
            return pdf.profile(source)
        case "parquet" | "parquet (encrypted)":
            return parquet.profile(source)
        case "sqlite":
            return store.sqlite(source)
        case "npy":
            return store.numpy_array(source)
        case "stata" | "spss":
            return store.statistics(source, kind)
        case "tar":
            return archive.tar(source)
        case "gzip" | "bzip2" | "xz":
            return compressed.profile(source, kind)
        case "zstd":
            return _sentence("archive", f"Compressed by Zstandard, {size(source.size)}: not looked into.")
        case "7z":
            return seven_zip.profile(source)
        case "rar":
            return rar.profile(source)
        case "rtf":
            return document.rich_text(source)
        case "pgp" | "openssl":
            raise Encrypted("The file is encrypted.")
        case _ if kind in IMAGES:
            return image.profile(source, kind or "")
        case _ if kind in SOUNDS | FILMS:
            return recording.profile(source)
        case None:
            return _unmarked(source, head)
    return None


def _unmarked(source: Source, head: bytes) -> Finding | None:
    """Files without a sign at their start: text above all."""
    if source.ending == "eml":
        return mail.profile(source)
    encoding = find_encoding(head, source.size <= len(head))
    if encoding and b"<svg" in head[:2000] and source.ending in {"svg", "xml", ""}:
        return image.drawing(decode(source.head(2_000_000), encoding.name, False))
    return text.profile(source) or _by_ending(source)


def _by_ending(source: Source) -> Finding | None:
    if source.ending == "dta":
        return store.statistics(source, "stata")
    if source.ending in RAW_RECORDINGS:
        return recording.profile(source)
    return image.profile(source, source.ending) if source.ending in RAW_IMAGES else None


def _unknown(source: Source, head: bytes, kind: str | None) -> Finding:
    named = f", by its first bytes {kind}" if kind else f", first bytes {shown(head)}"
    if source.ending in {"pkl", "pickle", "joblib", "pt", "pth"} or head[:2] in {
        b"\x80\x03",
        b"\x80\x04",
        b"\x80\x05",
    }:
        named += ". It may be a pickle: loading one runs what it says, so it was not opened"
    return _sentence("other", f"Cannot look inside: {size(source.size)}{named}.")
