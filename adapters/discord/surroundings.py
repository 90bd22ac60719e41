"""What every thread works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import discord

from adapters.discord.clock import Clock
from adapters.discord.seam import Fit
from bot.reception import Journal
from bot.visits import Visit


@dataclass(frozen=True, slots=True)
class Surroundings:
    client: discord.Client
    """Logged in; it need not be connected to the gateway."""
    http: aiohttp.ClientSession
    """For downloads."""
    clock: Clock
    journal: Journal
    refusal: Callable[[Visit], Awaitable[str | None]]
    """As `Receiver.refusal`."""
    fit: Fit | None = None
