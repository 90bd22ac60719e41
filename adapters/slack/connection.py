"""What all threads of an installation share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from adapters.slack.context import How
from adapters.slack.files import Files
from adapters.slack.inbound import Us
from adapters.slack.people import People
from adapters.slack.web import Web
from bot.reception import Journal
from bot.visits import Visit


@dataclass(frozen=True, slots=True)
class Connection:
    web: Web
    http: aiohttp.ClientSession
    files: Files
    people: People
    journal: Journal
    us: Us
    refusal: Callable[[Visit], Awaitable[str | None]]
    """As `Receiver.refusal`."""
    how_context: How = "all"
    """How much of a thread is read in which the bot is called."""
