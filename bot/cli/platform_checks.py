"""Whether Slack and Discord are set up as the bot needs them, where the settings name them."""

from collections.abc import AsyncIterator

from bot.checks import Check
from bot.config import Settings

NO_SERVER_MEND = (
    "set ALLOW__DISCORD_GUILDS to its id: with Developer Mode on (User Settings → Advanced), right-click the server, "
    "Copy Server ID"
)


async def checks(settings: Settings, channel: str) -> AsyncIterator[Check]:
    """`channel` is the platform's id of one in which the bot should work; empty for none."""
    slack_channel, discord_channel = ("", int(channel)) if channel.isdecimal() else (channel, None)
    if settings.slack_bot_token:
        async for check in _slack(settings, slack_channel):
            yield check
    elif slack_channel:
        yield _no_platform("Slack", slack_channel, "SLACK_BOT_TOKEN")
    if settings.discord_token:
        async for check in _discord(settings, settings.discord_token.get_secret_value(), discord_channel):
            yield check
    elif discord_channel:
        yield _no_platform("Discord", channel, "DISCORD_TOKEN")


# The libraries of the platforms take as long to load as all else: whoever has no token does without.


async def _slack(settings: Settings, channel: str) -> AsyncIterator[Check]:
    from adapters.slack import doctor  # noqa: PLC0415
    from bot.cli.platforms import slack_options  # noqa: PLC0415

    options = slack_options(settings)
    async for check in doctor.checks(
        options.bot_token, options.app_token, options.signing_secret, options.api_url, channel
    ):
        yield check


async def _discord(settings: Settings, token: str, channel: int | None) -> AsyncIterator[Check]:
    from adapters.discord import doctor  # noqa: PLC0415
    from adapters.discord.endpoints import point_to  # noqa: PLC0415
    from adapters.proxies import proxy_for  # noqa: PLC0415
    from bot.cli.platforms import discord_options  # noqa: PLC0415

    point_to(settings.discord_api_url, None)
    async for check in doctor.checks(
        token, discord_options(settings), channel, proxy_for(settings.discord_api_url)
    ):
        yield check
    if not (settings.allow.discord_guilds or settings.allow.discord_dms):
        detail = "No server is listed, so it leaves every one that it is added to."
        yield Check(doctor.NAME, False, detail, NO_SERVER_MEND)


def _no_platform(name: str, channel: str, variable: str) -> Check:
    return Check(
        name.lower(), False, f"{channel} is a channel of {name}, which is not set up.", f"set {variable}"
    )
