"""What a box says of one cell, put together as it comes."""

from dataclasses import dataclass, field

from sandbox.frames import Clear, Display, Done, OfCell, Raised, Written
from sandbox.wire import WireError

TEXT_BYTES = 1024 * 1024
DISPLAYS = 100
DISPLAY_BYTES = 64 * 1024 * 1024
ERRORS = 50
"""All of these are more than a box lets through (`sandbox.guest.cell`)."""


@dataclass(slots=True)
class Collected:
    items: list[str | Display] = field(default_factory=list[str | Display])
    """Text and displays in the order in which they appeared; tracebacks are text."""
    error: Raised | None = None
    """The last one."""
    done: Done | None = None
    _text_bytes: int = 0
    _displays: int = 0
    _display_bytes: int = 0
    _errors: int = 0
    _clears_next: bool = False

    def add(self, frame: OfCell) -> str:
        """The text that it adds. Raises `WireError` for more than a box would send."""
        match frame:
            case Written():
                self._text_bytes += len(frame.payload)
                return self._add_text(frame.payload.decode("utf-8", "replace"))
            case Raised():
                self._errors += 1
                self.error = frame
                return self._add_text(f"{frame.traceback}\n")
            case Display():
                self._displays += 1
                self._display_bytes += len(frame.payload)
                self._check()
                self._add_display(frame)
            case Clear():
                self._clears_next = True
                if not frame.wait:
                    self._clear()
            case Done():
                self.done = frame
            case _:
                pass
        return ""

    def start_again(self) -> None:
        """All of it will be said once more."""
        self.items.clear()
        self._text_bytes = self._displays = self._display_bytes = self._errors = 0
        self._clears_next = False

    def _add_text(self, text: str) -> str:
        self._check()
        if text:
            self._clear()
            self.items.append(text)
        return text

    def _add_display(self, display: Display) -> None:
        self._clear()
        for number, item in enumerate(self.items):
            if display.kind == "update" and isinstance(item, Display) and _is_same(item, display):
                self.items[number] = display
                return
        self.items.append(display)

    def _clear(self) -> None:
        if self._clears_next:
            self.items.clear()
            self._clears_next = False

    def _check(self) -> None:
        is_too_much = self._text_bytes > TEXT_BYTES or self._display_bytes > DISPLAY_BYTES
        if is_too_much or self._displays > DISPLAYS or self._errors > ERRORS:
            raise WireError("a cell puts out more than a box lets through")


def _is_same(one: Display, other: Display) -> bool:
    return one.display_id is not None and one.display_id == other.display_id
