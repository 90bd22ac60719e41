"""Where Discord is."""

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL


def point_to(api_url: str | None, gateway_url: str | None) -> None:
    """Make every client of this process talk to these addresses; None leaves Discord's own.

    discord.py has no setting for them, only attributes of its classes. `api_url` ends with the version, as in
    `https://discord.com/api/v10`.
    """
    if api_url:
        Route.BASE = api_url.rstrip("/")
        discord.Asset.BASE = f"{URL(api_url).origin()}/cdn"
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
