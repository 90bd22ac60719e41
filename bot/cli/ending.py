"""How the program ends: exit codes, and what is said instead of a traceback."""

from enum import IntEnum


class Code(IntEnum):
    OK = 0
    FAILED = 1
    """The work did not end well."""
    USAGE = 2
    """Called in a way, or with a setting, that cannot work."""
    NOT_SET_UP = 3
    """Something has to be installed, started or configured first: `plotline doctor` says what."""


class Ended(Exception):
    """Ends the program with this sentence for the person at the terminal."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
