"""What somebody typed, and files they named → `Message`."""

import os
import stat
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from bot.messages import Attachment, Author, Message


def to_message(text: str, attachments: Sequence[Attachment], author: Author) -> Message:
    return Message(uuid.uuid4().hex, author, text, datetime.now(UTC), tuple(attachments))


def to_attachment(path: Path) -> Attachment:
    """A local file, by its `file://` address.

    Raises `OSError`, with `strerror` to read, unless it is a file that can be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "not a file")
    with path.open("rb"):
        return Attachment(path.name, path.absolute().as_uri(), found.st_size)


def local_path(attachment: Attachment) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(attachment.url).path)))
