"""First answers to interactions: within three seconds, or Discord shows that the bot does not respond."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import discord

from adapters.discord import render
from adapters.discord.draft import Draft
from adapters.discord.errors import discord_errors
from adapters.discord.visiting import Deferred, Interaction
from bot.messages import Output
from bot.reception import Receiver
from bot.visits import Visit

T = TypeVar("T")

ANSWER_SECONDS = 1.5
"""For what the core has to say before the first answer; the rest of the three is Discord's."""


async def refusal(receiver: Receiver, visit: Visit) -> str | None:
    """Why not. A core that takes too long is asked again when the turn begins."""
    return await in_time(receiver.refusal(visit), None)


async def in_time(work: Coroutine[Any, Any, T], otherwise: T) -> T:
    try:
        return await asyncio.wait_for(work, ANSWER_SECONDS)
    except TimeoutError:
        return otherwise


async def whisper(interaction: Interaction, text: str) -> None:
    """The whole answer, to nobody but who asked."""
    with discord_errors():
        await interaction.response.send_message(text, ephemeral=True, suppress_embeds=True)


async def defer(interaction: Interaction, *, private: bool = False) -> Deferred:
    with discord_errors():
        response = await interaction.response.defer(thinking=True, ephemeral=private)
    # Where Discord says no id the response is still found under the interaction's own.
    message = response.message_id if response else None
    return Deferred(message or interaction.id, private)


async def show(interaction: Interaction, output: Output, locale: str) -> None:
    """What was deferred privately is filled with this."""
    pieces = render.pieces(output, file_bytes=interaction.filesize_limit, locale=locale)
    first, *others = [Draft(piece) for piece in pieces]
    with discord_errors():
        await interaction.edit_original_response(**first.to_edit())
        for each in others:
            await interaction.followup.send(ephemeral=True, **each.to_send())


async def modal(interaction: Interaction, form: discord.ui.Modal) -> None:
    with discord_errors():
        await interaction.response.send_modal(form)
