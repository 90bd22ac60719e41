"""The bot on Discord: listens, and hands over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from adapters.discord import commands, guilds, inbound
from adapters.discord.address import Address
from adapters.discord.buttons import Deed
from adapters.discord.catchup import CatchUp
from adapters.discord.clicks import Click
from adapters.discord.clock import Clock, SystemClock
from adapters.discord.desk import Desk, apologize
from adapters.discord.errors import DiscordRefused, discord_errors
from adapters.discord.handing import Core
from adapters.discord.listening import Listening
from adapters.discord.patience import Patience
from adapters.discord.pressing import Pressing
from adapters.discord.seam import Fit, HoldingReceiver, Options
from adapters.discord.surroundings import Surroundings
from adapters.discord.thread import DiscordThread
from adapters.discord.visiting import Interaction
from bot.errors import PlatformUnavailable, StoreUnavailable
from bot.reception import Journal

log = structlog.get_logger()

BETWEEN_IDENTIFIES = 5.0
"""Seconds; https://discord.com/developers/docs/events/gateway#rate-limiting."""
RATE_LIMIT_SECONDS = 60
"""Longer than this no call waits."""
FINISHING_SECONDS = 5
"""For what is being done for somebody when the bot is told to end."""
TEXT_LIMIT = 2000
"""Characters; https://discord.com/developers/docs/resources/message#create-message."""
DIRECT_MESSAGES_SHARD = 0
"""https://discord.com/developers/docs/events/gateway#sharding."""
SETTLE_AGAIN_SECONDS = (5, 30, 120, 300)
"""After what is done at a connection broke off."""
GUILD_INSTALL = app_commands.AppInstallationType(guild=True, user=False)

Work = Callable[[], Awaitable[None]]


def create_bot(  # what a host may decide
    receiver: HoldingReceiver,
    journal: Journal,
    options: Options | None = None,
    *,
    clock: Clock | None = None,
    fit: Fit | None = None,
    **client_options: Any,
) -> "Bot":
    """A client that is not started yet: `await bot.start(token)` connects it.

    A worker without a gateway only logs in, with `await bot.login(token)`; then `bot.thread` works.
    `client_options` go to `discord.AutoShardedClient`: `connector`, `proxy`, `shard_ids` and so on.
    """
    return Bot(receiver, journal, options or Options(), clock or SystemClock(), fit, client_options)


@asynccontextmanager
async def logged_in(bot: "Bot", token: str) -> AsyncIterator["Bot"]:
    """It can post, and hears nothing until `listen`.

    Raises `DiscordRefused` when Discord does not take the token, `PlatformUnavailable`.
    """
    async with bot:
        try:
            with discord_errors():
                await bot.login(token)
        except PlatformUnavailable as error:
            if isinstance(error.__cause__, discord.LoginFailure):
                raise DiscordRefused("it is not a bot's token", 0, HTTPStatus.UNAUTHORIZED) from error
            raise
        yield bot


def intents(options: Options) -> discord.Intents:
    """No more than is needed."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=options.direct_messages,
        message_content=options.reads_all_messages,
    )


class Bot(discord.AutoShardedClient):
    """Made by `create_bot`."""

    def __init__(  # noqa: PLR0913, PLR0917  # as `create_bot`
        self,
        receiver: HoldingReceiver,
        journal: Journal,
        options: Options,
        clock: Clock,
        fit: Fit | None,
        client_options: dict[str, Any],
    ) -> None:
        # It would warn that it cannot speak: nobody asked it to.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        defaults: dict[str, Any] = {
            "intents": intents(options),
            "allowed_mentions": discord.AllowedMentions.none(),
            "max_messages": None,
            "chunk_guilds_at_startup": False,
            "member_cache_flags": discord.MemberCacheFlags.none(),
            "max_ratelimit_timeout": RATE_LIMIT_SECONDS,
        }
        super().__init__(**defaults | client_options)
        self.heard_at: datetime | None = None
        """When anything came from the gateway last: a bot that hears nothing for minutes is deaf."""
        self._core = Core(self, receiver, journal, options, self._open)
        self._clock = clock
        self._fit = fit
        self._connected_at: dict[int | None, datetime] = {}
        """By shard, when it began to hear."""
        self._syncing = asyncio.Lock()
        self._long: set[asyncio.Task[Any]] = set()
        """Those that are ended with the bot."""
        self._brief: set[asyncio.Task[Any]] = set()
        """Those that may finish first."""
        self._web: aiohttp.ClientSession | None = None
        self._listening = Listening(self._core)
        self._catching_up = CatchUp(self._core, self._listening, clock)
        self._desk = Desk(self._core)
        self._pressing = Pressing(self._core)
        contexts = app_commands.AppCommandContext(
            guild=True, dm_channel=options.direct_messages, private_channel=False
        )
        self.tree: commands.Tree = app_commands.CommandTree(
            self, allowed_installs=GUILD_INSTALL, allowed_contexts=contexts
        )
        self.tree.error(self._on_command_error)
        commands.add_commands(self.tree, self._desk, options)

    def thread(self, address: str) -> DiscordThread:
        """Where an answer goes; `address` is that of a thread that was handed over. Needs a bot that is logged in."""
        return self._open(Address.from_json(address))

    async def listen(self) -> None:
        """Until it is cancelled, or closed. Raises `DiscordRefused` where an intent is missing."""
        refused = DiscordRefused("the application has no Message Content Intent", 0, HTTPStatus.FORBIDDEN)
        flags = self.application_flags
        has_content = flags.gateway_message_content or flags.gateway_message_content_limited
        if self._core.options.reads_all_messages and not has_content:
            # Whoever starts a bot again and again that the gateway turns away uses up its thousand tries a day,
            # and then Discord takes its token.
            raise refused
        try:
            await self.connect()
        except discord.PrivilegedIntentsRequired as error:
            raise refused from error

    async def announce(self, channel: int, text: str) -> None:
        """For operators, outside of any thread. Raises `PlatformUnavailable`."""
        with discord_errors():
            await self.get_partial_messageable(channel).send(text[:TEXT_LIMIT], suppress_embeds=True)

    @property
    def is_heard(self) -> bool:
        """Whether anything said now would be heard. A connection whose heartbeats are not answered is closed by
        discord.py, and opened anew."""
        return self.is_ready() and not any(shard.is_closed() for shard in self.shards.values())

    def _open(self, address: Address) -> DiscordThread:
        if self._web is None or self._web.closed:
            self._web = aiohttp.ClientSession(
                connector=self.http.connector or None, connector_owner=not self.http.connector, trust_env=True
            )
        core = self._core
        around = Surroundings(self, self._web, self._clock, core.journal, core.receiver.refusal, self._fit)
        return DiscordThread(address, around)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Click)

    async def close(self) -> None:
        brief = self._brief - {asyncio.current_task()}
        if brief:
            await asyncio.wait(brief, timeout=FINISHING_SECONDS)
        await super().close()
        left = (self._long | self._brief) - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._web:
            await self._web.close()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            await self._clock.sleep(BETWEEN_IDENTIFIES)

    # ---- guilds

    async def on_shard_connect(self, shard_id: int) -> None:
        self._connected_at[shard_id] = self._clock.now()

    async def on_shard_ready(self, shard_id: int) -> None:
        """After each identification; a resumed session has missed nothing."""
        with _among(self._long):
            await self._settle(shard_id)

    async def _settle(self, shard_id: int) -> None:
        """What breaks off is tried again; the rest does not wait for it."""
        left = list(self._unsettled(shard_id))
        for seconds in (0, *SETTLE_AGAIN_SECONDS):
            await self._clock.sleep(seconds)
            left = [each for each in left if not await _is_done(each)]
            if not left:
                return
        log.error("discord.not_settled", shard=shard_id, left=len(left))

    def _unsettled(self, shard_id: int) -> Iterator[Work]:
        # Whatever is heard later, the gap ends where the shard began to hear.
        connected_at = self._connected_at.get(shard_id, self._clock.now())
        yield self._sync
        for guild in self.guilds:
            if guild.shard_id == shard_id:
                yield partial(self._catch_up, guild, connected_at)
        if shard_id == DIRECT_MESSAGES_SHARD and self._core.options.direct_messages:
            yield partial(self._catching_up.in_direct_messages, connected_at)

    async def _sync(self) -> None:
        if self.application_id:
            # Shards may become ready at the same time.
            async with self._syncing:
                await commands.sync(self.tree, self._core.journal, self.application_id)

    async def _catch_up(self, guild: discord.Guild, connected_at: datetime) -> None:
        if await self._settle_in(guild):
            await self._catching_up.in_guild(guild, connected_at)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._patience().keep_trying(lambda: self._settle_in(guild))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        receiver = self._core.receiver
        await self._patience().keep_trying(lambda: receiver.on_uninstalled(inbound.PLATFORM, str(guild.id)))

    async def _settle_in(self, guild: discord.Guild) -> bool:
        if not await guilds.leave_unless_served(guild, self._core):
            return False
        await guilds.introduce(guild, self._core)
        return True

    # ---- messages

    async def on_message(self, message: discord.Message) -> None:
        with _among(self._brief):
            await self._listening.hear_patiently(message, self._patience())

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        with _among(self._brief):
            await self._patience().keep_trying(lambda: self._listening.hear_edit(payload.message))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        with _among(self._brief):
            await self._hear_deletions(payload.guild_id, payload.channel_id, [payload.message_id])

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        await self._hear_deletions(payload.guild_id, payload.channel_id, sorted(payload.message_ids))

    async def _hear_deletions(self, guild: int | None, channel: int, messages: Sequence[int]) -> None:
        patience, hear = self._patience(), self._listening.hear_deletion
        for message in messages:
            await patience.keep_trying(partial(hear, guild, channel, message))

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        thread = inbound.in_thread(payload.guild_id, payload.thread_id)
        await self._patience().keep_trying(lambda: self._core.receiver.on_thread_deleted(thread))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        receiver, guild = self._core.receiver, str(channel.guild.id)
        await self._patience().keep_trying(
            lambda: receiver.on_channel_deleted(inbound.PLATFORM, guild, str(channel.id))
        )

    def _patience(self) -> Patience:
        """With what was heard just now."""
        return Patience(self._clock, self._clock.now())

    # ---- interactions

    async def on_interaction(self, interaction: Interaction) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            await self._or_apologize(interaction, self._desk.submit(interaction))

    async def clicked(self, interaction: Interaction, deed: Deed, *, own: bool, key: str) -> None:
        await self._or_apologize(interaction, self._pressing.press(interaction, deed, own=own, key=key))

    async def _or_apologize(self, interaction: Interaction, work: Coroutine[Any, Any, None]) -> None:
        try:
            with _among(self._brief):
                await work
        except Exception:
            # Here discord.py would swallow it, and whoever clicked would read that the bot does not respond.
            log.exception("discord.interaction_failed")
            await apologize(interaction, self._core.options.contact)

    async def _on_command_error(self, interaction: Interaction, error: app_commands.AppCommandError) -> None:
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        log.error("discord.command_failed", command=getattr(interaction.command, "name", ""), exc_info=cause)
        await apologize(interaction, self._core.options.contact)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        if self.is_closed():
            log.info("discord.event_cut_off", event_method=event_method)
            return
        log.exception("discord.event_failed", event_method=event_method)  # noqa: LOG004  # called while it is handled

    async def on_socket_event_type(self, event_type: str) -> None:
        self.heard_at = self._clock.now()


async def _is_done(work: Work) -> bool:
    try:
        await work()
    except (StoreUnavailable, PlatformUnavailable) as error:
        log.warning("discord.broke_off", error=type(error).__name__, detail=str(error))
        return False
    return True


@contextmanager
def _among(tasks: set[asyncio.Task[Any]]) -> Iterator[None]:
    """This task is one of them: discord.py would let it go on when all that it needs is closed."""
    task = asyncio.current_task()
    assert task  # noqa: S101  # for mypy: events are heard in tasks
    tasks.add(task)
    try:
        yield
    finally:
        tasks.discard(task)
