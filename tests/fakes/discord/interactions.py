"""Commands, clicks and forms on their way to the bot, and what it may still do with their tokens."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.rules import EPHEMERAL, LOADING, Payload

COMMAND, COMPONENT, MODAL = 2, 3, 5
REPLY, DEFER, DEFER_UPDATE, UPDATE, SHOW_MODAL = 4, 5, 6, 7, 9
RESPOND_WITHIN = timedelta(seconds=3)
TOKEN_LIFETIME = timedelta(minutes=15)
USER_INSTALL_FOLLOWUPS = 5


@dataclass(slots=True)
class Interaction:
    id: str
    token: str
    kind: int
    user: Payload
    channel_id: str
    created: datetime
    message: Payload | None = None
    """What was clicked on."""
    user_install: bool = False
    response: int | None = None
    original: Payload | None = None
    followups: list[Payload] = field(default_factory=list)
    modal: Payload | None = None
    event: Payload = field(default_factory=dict)
    """As the gateway told of it."""
    responded: asyncio.Event = field(default_factory=asyncio.Event)

    def respond(self, response: int, now: datetime) -> None:
        if now - self.created > RESPOND_WITHIN:
            raise ApiError(10062)
        if self.response is not None:
            raise ApiError(40060)
        self.response = response

    def use_token(self, now: datetime) -> None:
        if self.response is None:
            raise ApiError(10015)
        if now - self.created > TOKEN_LIFETIME:
            raise ApiError(50027)

    def find(self, message_id: str) -> Payload:
        """The original response by its name or id, or a follow-up."""
        candidates = [self.original, *self.followups]
        for message in candidates:
            if message and message_id in {message["id"], "@original" if message is self.original else ""}:
                return message
        raise ApiError(10008)

    @property
    def is_waiting(self) -> bool:
        """Whether the deferred response still shows that the bot is thinking."""
        return bool(self.original and self.original["flags"] & LOADING)

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.original and self.original["flags"] & EPHEMERAL)

    @property
    def shown(self) -> list[Payload]:
        """All that the token has made, in order."""
        return [each for each in (self.original, *self.followups) if each]
