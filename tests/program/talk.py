"""What is common to all towns."""

from dataclasses import dataclass
from typing import Any

File = tuple[str, bytes]


@dataclass
class Talk:
    """A thread with the bot, by the message that began it."""

    first: Any
