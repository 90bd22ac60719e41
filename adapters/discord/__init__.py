"""Discord, over its gateway and REST, by discord.py. `create_bot` gives a client that nobody has started."""

from adapters.discord.client import create_bot

__all__ = ["create_bot"]
