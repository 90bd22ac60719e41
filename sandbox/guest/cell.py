"""The cell that runs now: its output cut to measure, its deadline, and what is kept for a host that comes back."""

import codecs
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from sandbox.wire import Frame, encode

HEAD_BYTES = 64 * 1024
"""Of a cell's text, sent as it comes."""
TAIL_BYTES = 16 * 1024
"""Of a cell's text, sent when it has ended, where it was longer than its head."""
DISPLAYS = 64
DISPLAY_BYTES = 48 * 1024 * 1024
"""All displays of a cell."""
ERRORS = 16
"""Tracebacks that are shown as they come. Of more, the last one is shown when the cell has ended."""
BEGIN_SECONDS = 5.0
"""For a kernel to take up a cell: one that does not is busy with something of its own, and is replaced."""
BRIEF_SECONDS = 0.005
"""Text of a cell that ends within it goes out together with its end."""
GRACE_SECONDS = 3.0
"""Between asking a cell to stop and ending its process."""
REMEMBERED = 8
REMEMBERED_BYTES = 16 * 1024 * 1024
STARTED = 4096
"""Names of cells that are known to have been started."""


@dataclass(slots=True)
class Cell:
    id: str
    deadline: float
    """On the monotonic clock."""
    oom_kills: int
    """Counted when it began."""
    request: tuple[Frame, bytes] | None
    """What the kernel was asked, until it is known to have begun."""
    began: float = field(default_factory=time.monotonic)
    stopped_for: str | None = None
    """`timed_out` or `interrupted`, once it was asked to stop."""
    kill_at: float | None = None
    frames: list[bytes] = field(default_factory=list[bytes])
    frames_bytes: int = 0
    missing: bool = False
    """Whether some of what it put out is not in `frames`."""
    displays: int = 0
    cut_displays: int = 0
    begin_by: float = field(default_factory=lambda: time.monotonic() + BEGIN_SECONDS)
    _errors: int = 0
    _last_error: Frame | None = None
    _cut_error_bytes: int = 0
    _cleared: str | None = "now"
    """`now` or `later` where nothing was put out since it was taken back so."""
    _display_bytes: int = 0
    _text_bytes: int = 0
    _tail: bytearray = field(default_factory=bytearray)
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    @property
    def seconds_left(self) -> float:
        """Until something has to be done about it."""
        due = self.kill_at or self.deadline
        if self._should_begin:
            due = min(due, self.begin_by)
        return max(0.0, due - time.monotonic())

    @property
    def text_seconds_left(self) -> float:
        """Until it is looked for what it writes: a cell that ends at once has written it by then."""
        return max(0.0, self.began + BRIEF_SECONDS - time.monotonic())

    @property
    def is_late_to_begin(self) -> bool:
        return self._should_begin and time.monotonic() >= self.begin_by

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def cut_bytes(self) -> int:
        return max(0, self._text_bytes - HEAD_BYTES - len(self._tail)) + self._cut_error_bytes

    @property
    def _should_begin(self) -> bool:
        return self.request is not None and self.stopped_for is None

    def text(self, data: bytes) -> bytes | None:
        """The frame for the next piece of its text; None for what is past the head."""
        room = max(0, HEAD_BYTES - self._text_bytes)
        self._text_bytes += len(data)
        rest = data[room:]
        if rest:
            self._tail += rest[-TAIL_BYTES:]
            del self._tail[:-TAIL_BYTES]
        return self._encoded_text(self._decoder.decode(data[:room])) if room else None

    def last_text(self) -> bytes | None:
        """The frame for the end of its text, after a line that says what was left out."""
        if self.cut_bytes:
            text = self._decoder.decode(b"", final=True)
            text += f"\n… {self.cut_bytes:,} bytes left out …\n"
            text += self._tail.decode("utf-8", "replace")
        else:
            # A character may have begun in the head and end here.
            text = self._decoder.decode(bytes(self._tail), final=True)
        return self._encoded_text(text) if text else None

    def display(self, frame: Frame | None, payload: bytes) -> bytes | None:
        """None where it is one too many, or none at all."""
        too_many = self.displays >= DISPLAYS or self._display_bytes + len(payload) > DISPLAY_BYTES
        if frame is None or too_many:
            self.cut_displays += 1
            return None
        self.displays += 1
        self._display_bytes += len(payload)
        return self._shown(frame, payload)

    def error(self, frame: Frame) -> bytes | None:
        """None where it is one too many: the last one is in `last_error`."""
        if self._errors < ERRORS:
            self._errors += 1
            return self._shown(frame)
        if self._last_error:
            self._cut_error_bytes += len(self._last_error.get("traceback", ""))
        self._last_error = frame
        return None

    def last_error(self) -> bytes | None:
        frame, self._last_error = self._last_error, None
        return self._shown(frame) if frame else None

    def clear(self, frame: Frame) -> bytes | None:
        """None where there is nothing more to take back: code may ask for it without end."""
        when = "later" if frame["wait"] else "now"
        if self._cleared in {"now", when}:
            return None
        self._cleared = when
        return self.remember({**frame, "cell": self.id})

    def remember(self, frame: Frame, payload: bytes | None = None) -> bytes:
        data = encode(frame, payload)
        if self.frames_bytes + len(data) > REMEMBERED_BYTES:
            self.missing = True
        else:
            self.frames.append(data)
            self.frames_bytes += len(data)
        return data

    def _encoded_text(self, text: str) -> bytes:
        return self._shown({"ev": "text"}, text.encode())

    def _shown(self, frame: Frame, payload: bytes | None = None) -> bytes:
        self._cleared = None
        return self.remember({**frame, "cell": self.id}, payload)


class Remembered:
    """What the last cells put out, for a host that did not hear it; and which cells were ever started."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, tuple[list[bytes], Frame]] = OrderedDict()
        self._started: OrderedDict[str, None] = OrderedDict()

    @property
    def names(self) -> list[str]:
        return list(self._results)

    def start(self, cell: str) -> None:
        self._started[cell] = None
        while len(self._started) > STARTED:
            self._started.popitem(last=False)

    def was_started(self, cell: str) -> bool:
        return cell in self._started

    def keep(self, cell: Cell, done: Frame) -> None:
        """`done` is the frame that ended it."""
        self._results[cell.id] = cell.frames, {**done, "replayed": True, "missing": cell.missing}
        while len(self._results) > REMEMBERED or self._bytes() > REMEMBERED_BYTES:
            self._results.popitem(last=False)

    def frames(self, cell: str) -> list[bytes] | None:
        """All frames of the cell, the one that ended it last; None when it is not remembered."""
        if cell not in self._results:
            return None
        frames, done = self._results[cell]
        return [*frames, encode(done)]

    def _bytes(self) -> int:
        return sum(len(data) for frames, _ in self._results.values() for data in frames)
