"""Where an answer goes, as a value that outlives this process."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from bot.messages import ThreadId

TOKEN_LIFETIME = timedelta(minutes=15)
"""Of an interaction: https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages."""
SPARE = timedelta(seconds=45)
"""Before its end a token is no longer used: a request may take a while."""
DEFAULT_FILE_BYTES = 10 * 1024 * 1024
"""https://discord.com/developers/docs/reference#uploading-files."""


@dataclass(frozen=True, slots=True)
class Address:
    thread: ThreadId
    turn: str
    """`Message.id` of what is answered."""
    channel: int
    """Where messages go, or where the thread is to be opened."""
    asker: int
    locale: str = "en"
    guild: int | None = None
    opens: str = ""
    """The name of a thread still to be opened in `channel`, on the message `root`; empty where there is none."""
    root: int | None = None
    parent: int | None = None
    """The text channel or forum of the thread that `channel` is."""
    asked: int | None = None
    """The message that is answered; None for commands."""
    asked_in: int | None = None
    """The channel of that message."""
    quoted: int | None = None
    """The message there that it is an answer to, whose files came along."""
    asks: str = ""
    """What a command asked, to be shown above the answer."""
    asker_name: str = ""
    token: str = ""
    """Of the interaction that is answered; empty for messages."""
    application: int = 0
    original: int | None = None
    """The message that the interaction was deferred with."""
    created: float = 0.0
    """Of the interaction, in seconds since the epoch."""
    private: bool = False
    """The answer is seen by the asker only, and can only come through the token."""
    reachable: bool = True
    """Whether the bot may act in the channel without the token; it may not where only a user installed it."""
    file_bytes: int = DEFAULT_FILE_BYTES
    """The largest file that may be sent there."""
    permissions: int | None = None
    """What the bot may do there, as Discord's bits; None where that is not known."""
    edited: bool = False
    """What is answered was changed: the new answer replaces the old one."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Address":
        return Address(**json.loads(text))

    @property
    def token_ends(self) -> datetime:
        """Up to when it is used."""
        return datetime.fromtimestamp(self.created, UTC) + TOKEN_LIFETIME - SPARE

    def token_lives(self, now: datetime) -> bool:
        return bool(self.token) and now < self.token_ends
