"""The platforms that the settings ask for: connected, so that they can be spoken on and listened to."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from adapters.discord.client import Bot, create_bot, logged_in
from adapters.discord.endpoints import point_to
from adapters.discord.errors import DiscordRefused
from adapters.discord.seam import Fit, HoldingReceiver
from adapters.discord.seam import Options as DiscordOptions
from adapters.proxies import proxy_for
from adapters.slack import app as slack_app
from adapters.slack.errors import SlackRefused
from adapters.slack.installation import Options as SlackOptions
from adapters.slack.installation import open_slack
from bot.cli.ending import Code, Ended
from bot.config import Settings
from bot.engine.serving import OpenThread
from bot.errors import PlatformUnavailable
from bot.health import Ready
from bot.incidents import Announce
from bot.messages import Output
from bot.reception import Journal, Receiver

log = structlog.get_logger()

NO_PLATFORM = (
    "No platform is configured: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or DISCORD_TOKEN. For Slack, "
    "`plotline slack setup` shows how, step by step."
)
LONGEST_SECONDS = 60

REFUSALS = (SlackRefused, DiscordRefused)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Platform:
    name: str
    """`slack`: with it and a colon the ids of its threads begin."""
    thread: OpenThread
    announce: Announce
    listen: Callable[[], Awaitable[None]]
    """Until cancelled. Raises `Ended` where the platform wants no connection."""
    is_heard: Ready


@asynccontextmanager
async def connected(
    settings: Settings, receiver: HoldingReceiver, journal: Journal, fit: Fit | None = None
) -> AsyncIterator[list[Platform]]:
    """All that are configured. One that does not answer is waited for.

    Raises `Ended` where none is, and for one that refuses.
    """
    async with AsyncExitStack() as stack:
        platforms = []
        if settings.slack_bot_token:
            platforms.append(await _slack(stack, settings, receiver, journal))
        if settings.discord_token:
            platforms.append(await _discord(stack, settings, receiver, journal, fit))
        if not platforms:
            raise Ended(Code.NOT_SET_UP, NO_PLATFORM)
        yield platforms


async def _slack(stack: AsyncExitStack, settings: Settings, receiver: Receiver, journal: Journal) -> Platform:
    options = slack_options(settings)
    if not (options.app_token or options.signing_secret):
        raise Ended(
            Code.NOT_SET_UP,
            "Nothing would be heard from Slack: set SLACK_APP_TOKEN, or SLACK_SIGNING_SECRET.",
        )
    slack = await _patiently(
        "Slack", lambda: stack.enter_async_context(open_slack(options, receiver, journal))
    )

    async def announce(channel: str, text: str) -> None:
        key = f"slack:announced:{secrets.token_hex(8)}"
        await slack.announce(channel.rpartition("/")[2], Output(text), key, settings.locale)

    async def listen() -> None:
        try:
            await slack_app.serve(slack, options)
        except* SlackRefused as refused:
            raise _refused("Slack", refused.exceptions[0]) from None

    async def is_heard() -> bool:
        return slack.health.is_ready

    return Platform("slack", lambda _, address: slack.thread(address), announce, listen, is_heard)


def slack_options(settings: Settings) -> SlackOptions:
    return SlackOptions(
        bot_token=_secret(settings.slack_bot_token),
        app_token=_secret(settings.slack_app_token),
        signing_secret=_secret(settings.slack_signing_secret),
        host=settings.slack_host,
        port=settings.slack_port,
        api_url=settings.slack_api_url,
        how_context=settings.thread_context,
    )


async def _discord(
    stack: AsyncExitStack, settings: Settings, receiver: HoldingReceiver, journal: Journal, fit: Fit | None
) -> Platform:
    point_to(settings.discord_api_url, settings.discord_gateway_url or None)
    options, proxy = discord_options(settings), proxy_for(settings.discord_api_url)

    async def opened() -> Bot:
        made = create_bot(receiver, journal, options, fit=fit, proxy=proxy)
        return await stack.enter_async_context(logged_in(made, _secret(settings.discord_token)))

    bot = await _patiently("Discord", opened)

    async def announce(channel: str, text: str) -> None:
        await bot.announce(int(channel.rpartition("/")[2]), text)

    async def listen() -> None:
        try:
            await bot.listen()
        except DiscordRefused as error:
            raise _refused("Discord", error) from error

    async def is_heard() -> bool:
        return bot.is_heard

    return Platform("discord", lambda _, address: bot.thread(address), announce, listen, is_heard)


def discord_options(settings: Settings) -> DiscordOptions:
    return DiscordOptions(
        reads_all_messages=settings.discord_reads_all,
        direct_messages=settings.allow.discord_dms,
        runs=settings.allow.discord_run,
        contact=settings.operator_contact,
    )


async def _patiently(name: str, opening: Callable[[], Awaitable[T]]) -> T:
    def told(state: RetryCallState) -> None:
        log.warning(
            "platform.not_reached", platform=name, detail=str(state.outcome and state.outcome.exception())
        )

    async for attempt in AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_random_exponential(max=LONGEST_SECONDS),
        before_sleep=told,
    ):
        with attempt:
            try:
                return await opening()
            except REFUSALS as error:
                raise _refused(name, error) from error
    raise AssertionError  # it is tried for ever


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, PlatformUnavailable)


def _refused(name: str, error: BaseException) -> Ended:
    return Ended(Code.NOT_SET_UP, f"{name} refuses: {error}. `plotline doctor` tells what to do.")


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
