"""A program on a pseudo-terminal, and somebody in front of it: types, presses Ctrl-C, waits for what is shown."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROWS_AND_COLUMNS = (40, 120)
CTRL_C, CTRL_D = "\x03", "\x04"
STEERING = r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\\\)|[\r\x07]"


class Terminal:
    def __init__(self, command: Sequence[str], directory: Path, env: Mapping[str, str]) -> None:
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            os.chdir(directory)
            os.execve(command[0], command, {**env, "TERM": "xterm"})  # noqa: S606  # no shell is wanted
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *ROWS_AND_COLUMNS, 0, 0))
        self.shown = ""
        """Everything so far, without the sequences that move the cursor and set colours."""
        self._seen = 0
        self._raw = b""

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def say(self, line: str) -> None:
        self.press(f"{line}\r")

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """What was shown up to and with `text`, since what was waited for last."""
        end = time.monotonic() + seconds
        while text not in self.shown[self._seen :]:
            if not self._read(end - time.monotonic()):
                raise AssertionError(
                    f"{text!r} was not shown in {seconds} s, only: {self.shown[self._seen :]!r}"
                )
        start = self._seen
        self._seen = self.shown.index(text, start) + len(text)
        return self.shown[start : self._seen]

    def exit_code(self, seconds: float = 60) -> int:
        """Waits for the program to end by itself."""
        end = time.monotonic() + seconds
        while self._read(end - time.monotonic()):
            pass
        _, status = os.waitpid(self._pid, os.WNOHANG if time.monotonic() >= end else 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        os.close(self._master)
        if self._pid:
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)

    def _read(self, seconds: float) -> bool:
        """Take in what comes next; False when nothing came in time, or the program has left the terminal."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # how Linux tells that the other side is closed
            return False
        self.shown += re.sub(
            r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r", "", data.decode(errors="replace")
        )
        return bool(data)
