"""Where messages can be sent, edited and deleted: a channel by the bot's own token, a response by an interaction's."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import discord

from adapters.discord.address import Address
from adapters.discord.draft import Draft, markers
from adapters.discord.errors import ARCHIVED, UNKNOWN_MESSAGE, DiscordRefused, discord_errors

LOOK_BACK = 100
"""Messages that are looked through for one of ours."""


class Place(Protocol):
    """Each method raises `DiscordRefused` or another `PlatformUnavailable`."""

    async def send(self, draft: Draft, nonce: str) -> int:
        """The new message's id."""
        ...

    async def edit(self, message: int, draft: Draft) -> None: ...

    async def delete(self, message: int) -> None:
        """One that is gone already counts as deleted."""
        ...


class Channel:
    """Also a thread, or direct messages. Needs no gateway: a worker without one can use it."""

    def __init__(self, client: discord.Client, id: int, answers: int | None = None) -> None:  # noqa: A002  # as Discord calls it
        self.id = id
        self._client = client
        self._channel = client.get_partial_messageable(id)
        self._answers = answers

    async def send(self, draft: Draft, nonce: str) -> int:
        """Sent again within a few minutes, the same nonce finds the first message."""
        arguments = draft.to_send()
        if self._answers:
            arguments["reference"] = discord.MessageReference(
                message_id=self._answers, channel_id=self.id, fail_if_not_exists=False
            )
        with discord_errors():
            sent = await self._channel.send(nonce=nonce, **arguments)
        return sent.id

    async def edit(self, message: int, draft: Draft) -> None:
        try:
            await self._edit(message, draft)
        except DiscordRefused as error:
            if error.code != ARCHIVED:
                raise
            with discord_errors():
                await self._client.http.edit_channel(self.id, archived=False)
            await self._edit(message, draft)

    async def _edit(self, message: int, draft: Draft) -> None:
        with discord_errors():
            await self._channel.get_partial_message(message).edit(**draft.to_edit())

    async def delete(self, message: int) -> None:
        with _already_gone(), discord_errors():
            await self._channel.get_partial_message(message).delete()

    async def show_typing(self) -> None:
        with discord_errors():
            await self._channel.typing()

    async def find(self, marker: int, since: datetime) -> int | None:
        """Our own message with that marker."""
        with discord_errors():
            after = discord.utils.time_snowflake(since)
            found = await self._client.http.logs_from(self.id, LOOK_BACK, after=after)
        me = self._client.user
        return next(
            (
                int(each["id"])
                for each in found
                if me and int(each["author"]["id"]) == me.id and marker in markers(each)
            ),
            None,
        )


class Response:
    """What an interaction was answered with, and what follows it, for 15 minutes."""

    def __init__(self, client: discord.Client, address: Address) -> None:
        # As `Interaction.followup` is made: `Webhook.partial` gives one that may not answer privately.
        self._webhook = discord.Webhook.from_state(
            data={"id": address.application, "type": 3, "token": address.token}, state=client._connection
        )
        self._private = address.private

    async def send(self, draft: Draft, nonce: str) -> int:
        """A follow-up. Discord knows no nonce here."""
        with discord_errors():
            sent = await self._webhook.send(wait=True, ephemeral=self._private, **draft.to_send())
        return int(sent.id)

    async def edit(self, message: int, draft: Draft) -> None:
        with discord_errors():
            await self._webhook.edit_message(message, **draft.to_edit())

    async def delete(self, message: int) -> None:
        with _already_gone(), discord_errors():
            await self._webhook.delete_message(message)


@contextmanager
def _already_gone() -> Generator[None]:
    try:
        yield
    except DiscordRefused as error:
        if error.code != UNKNOWN_MESSAGE:
            raise
