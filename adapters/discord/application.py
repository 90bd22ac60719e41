"""The application that a token belongs to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import discord
from discord.http import Route

from adapters.discord.errors import DiscordRefused, discord_errors
from bot.errors import PlatformUnavailable

SECONDS = 20
"""For each question to Discord."""


@asynccontextmanager
async def asking(token: str, proxy: str | None = None) -> AsyncIterator[discord.Client]:
    """A client that speaks with Discord, and connects to no gateway.

    Raises `DiscordRefused` when Discord does not take the token, `PlatformUnavailable`.
    """
    # discord.py would warn that there is no voice, and of intents that nobody hears of here.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    client = discord.Client(intents=discord.Intents(guilds=True), proxy=proxy)
    async with client:
        try:
            with discord_errors():
                async with asyncio.timeout(SECONDS):
                    await client.login(token)
        except PlatformUnavailable as error:
            if isinstance(error.__cause__, discord.LoginFailure):
                raise DiscordRefused("it is not a bot's token", 0, HTTPStatus.UNAUTHORIZED) from error
            raise
        yield client


async def application(client: discord.Client) -> dict[str, Any]:
    """As Discord describes it: https://discord.com/developers/docs/resources/application.

    Raises `PlatformUnavailable`.
    """
    with discord_errors():
        async with asyncio.timeout(SECONDS):
            found: dict[str, Any] = await client.http.request(Route("GET", "/applications/@me"))
            return found


async def application_of(token: str, proxy: str | None = None) -> int:
    """Its id. Raises `DiscordRefused` when Discord does not take the token, `PlatformUnavailable`."""
    async with asking(token, proxy) as client:
        return int((await application(client))["id"])
