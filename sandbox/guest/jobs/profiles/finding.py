"""What looking into a file brings, and what can come in between."""

from dataclasses import dataclass

MACROS = "It holds macros, which are never run here"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    """`table`, `text`, `image`, `audio`, `video`, `document`, `archive`, `encrypted`, `broken` or `other`."""
    text: tuple[str, ...]
    """Lines for the model, what matters most first: the end is cut where there is no room."""
    schema: tuple[str, ...]
    """The same without a value from the file: names and types only."""


class Broken(Exception):
    """The file is not what it claims to be. The message is one plain sentence, without a value from the file."""


class Encrypted(Exception):
    """Nothing can be read without a password. The message says how the file is protected."""


@dataclass(frozen=True, slots=True)
class Trap:
    """Something about a table that makes a wrong answer likely."""

    text: str
    without_values: str = ""
    """The same without a value from the file, where that makes a difference."""

    def told(self, schema: bool) -> str:
        return self.without_values if schema and self.without_values else self.text

    def about(self, name: str) -> "Trap":
        return Trap(f"{name}: {self.text}", self.without_values and f"{name}: {self.without_values}")
