"""What a box says, as checked values: nothing of a type, length or size that we did not expect gets past here."""

import json
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from sandbox.wire import Frame, WireError

LONGEST_ID = 512
LONGEST_NAME = 4096
LONGEST_TEXT = 256 * 1024
"""Characters of a text in a frame's head: a traceback, above all. The rest is cut off."""
MOST_NAMES = 25_000
MOST_BYTES = 2**53


def _writable(value: object) -> object:
    """JSON may hold halves of characters, which nothing that writes UTF-8 takes."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_writable), AfterValidator(lambda text: text[:LONGEST_TEXT])]
Name = Annotated[str, BeforeValidator(_writable), Field(max_length=LONGEST_NAME)]
Id = Annotated[str, BeforeValidator(_writable), Field(max_length=LONGEST_ID)]
Count = Annotated[int, Field(ge=0, le=MOST_BYTES)]
Names = Annotated[list[Name], Field(max_length=MOST_NAMES)]
Seconds = Annotated[float, Field(ge=0, le=10**9)]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Frame(_Checked):
    payload: bytes = b""
    """The raw bytes that came with it."""


class Ready(_Frame):
    ev: Literal["ready"]
    boot: Id
    kernel: Count


class Attached(_Frame):
    ev: Literal["attached"]
    nonce: Id
    epoch: Count
    boot: Id
    kernel: Count | None = None
    """None as long as the first one is not up."""
    running: Id | None = None
    remembered: Annotated[list[Id], Field(max_length=64)] = []


class Refused(_Frame):
    ev: Literal["refused"]
    nonce: Id
    epoch: Count


class Garbled(_Frame):
    ev: Literal["garbled"]


class Pong(_Frame):
    ev: Literal["pong"]


class Written(_Frame):
    ev: Literal["text"]
    cell: Id


class Display(_Frame):
    ev: Literal["display"]
    cell: Id
    kind: Literal["display", "update"]
    display_id: Id | None = None
    parts: Annotated[list[tuple[Id, Count]], Field(max_length=32)]
    name: Name = ""
    alt: Text = ""
    saved_as: Name | None = None

    @property
    def content(self) -> dict[str, bytes]:
        """Each part by its media type, as the box calls it: never trusted to be that."""
        found, start = {}, 0
        for media_type, size in self.parts:
            found[media_type] = self.payload[start : start + size]
            start += size
        return found


class Clear(_Frame):
    ev: Literal["clear"]
    cell: Id
    wait: bool = False


class Raised(_Frame):
    ev: Literal["error"]
    cell: Id
    name: Text
    message: Text
    traceback: Text


class Cut(_Checked):
    text: Count = 0
    """Bytes."""
    displays: Count = 0


class Changes(_Checked):
    changed: Annotated[list[tuple[Name, Count, float]], Field(max_length=MOST_NAMES)] = []
    """Name, size, modification time."""
    gone: Names = []
    complete: bool = True


class Done(_Frame):
    ev: Literal["done"]
    cell: Id
    status: Literal["ok", "raised", "timed_out", "out_of_memory", "interrupted", "died"]
    why: Text | None = None
    seconds: Seconds
    kernel: Count
    names: Names = []
    """Of variables."""
    lost: Names | None = None
    """Names that went with a kernel; None where it lives."""
    not_kept: Names = []
    """Names that could not be saved or loaded."""
    memory: Count | None = None
    """Bytes that the box uses."""
    cut: Cut = Cut()
    killed: Count = 0
    """Processes that were left behind."""
    oom_kills: Count = 0
    files: Changes = Changes()
    replayed: bool = False
    missing: bool = False


class Unknown(_Frame):
    ev: Literal["unknown"]
    cell: Id
    was_run: bool = False


class Busy(_Frame):
    ev: Literal["busy"]
    cell: Id


class Died(_Frame):
    ev: Literal["died"]
    why: Text | None = None
    kernel: Count
    lost: Names = []


class PutDone(_Frame):
    ev: Literal["put_done"]
    id: Count
    mtime: float | None = None
    error: Literal["full", "name", "io"] | None = None
    detail: Text = ""


class FileStart(_Frame):
    ev: Literal["file"]
    id: Count
    size: Count


class FileData(_Frame):
    ev: Literal["file_data"]
    id: Count


class FileEnd(_Frame):
    ev: Literal["file_end"]
    id: Count


class FileError(_Frame):
    ev: Literal["file_error"]
    id: Count
    error: Literal["gone", "not_a_file", "name", "io"]


class Files(_Frame):
    ev: Literal["files"]
    id: Count
    files: Annotated[list[tuple[Name, Count, float]], Field(max_length=MOST_NAMES)]
    complete: bool = True


class Renamed(_Frame):
    ev: Literal["renamed"]
    id: Count
    error: Text | None = None


class JobDone(_Frame):
    ev: Literal["job_done"]
    id: Count
    status: Literal["ok", "failed", "timed_out", "too_large"]
    detail: Text = ""


class Net(_Frame):
    ev: Literal["net"]
    conn: Count
    do: Literal["open", "data", "ack", "eof", "close"]
    k: Count = 0
    """Bytes that were taken, after ack."""


OfCell = Written | Display | Clear | Raised | Done | Unknown | Busy
Answer = PutDone | FileStart | FileData | FileEnd | FileError | Files | Renamed | JobDone
Said = Ready | Attached | Refused | Garbled | Pong | Net | Died | OfCell | Answer

_SAID: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="ev")])


def said(frame: Frame, payload: bytes) -> Said:
    """Raises `WireError` for a frame that no box of ours would send."""
    try:
        value = _SAID.validate_python({**frame, "payload": payload})
    except ValidationError as error:
        raise WireError(_problem(frame, error)) from None
    if isinstance(value, Display) and sum(size for _, size in value.parts) != len(payload):
        raise WireError("a display whose parts are not its payload")
    return value


def _problem(frame: Frame, error: ValidationError) -> str:
    """Without what the frame held: it could be anything, of any length."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind = frame.get("ev")
    place = ".".join(str(part) for part in first["loc"])[:80]
    return f"a frame {json.dumps(kind)[:40]} with {first['type']} at {place or 'ev'}"
