"""Who is speaking, where their conversation is, and where an answer to it goes."""

from dataclasses import dataclass, replace

import discord

from adapters.discord import inbound
from adapters.discord.address import DEFAULT_FILE_BYTES, Address
from bot.messages import Author, Message, ThreadId
from bot.visits import Visit, Wish

Interaction = discord.Interaction[discord.Client]
HAS_THREADS = frozenset({discord.ChannelType.text, discord.ChannelType.news})
"""Channels in which a thread can hang on a message."""
THREADS = frozenset(
    {
        discord.ChannelType.public_thread,
        discord.ChannelType.private_thread,
        discord.ChannelType.news_thread,
    }
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel, as far as it matters here."""

    id: int
    guild: int | None
    parent: int | None
    """Of a thread."""
    may_have_threads: bool
    """Whether the bot can open one there and write into it."""
    permissions: int | None = None
    file_bytes: int = DEFAULT_FILE_BYTES

    @property
    def is_one_conversation(self) -> bool:
        return self.parent is not None or self.guild is None

    @property
    def policy_channel(self) -> str:
        return str(self.parent or self.id)

    def conversation(self, user: int) -> ThreadId:
        """Where somebody's code and commands belong."""
        if self.is_one_conversation:
            return inbound.in_thread(self.guild, self.id)
        return inbound.of_member(self.guild, self.id, user)


def spot_of_message(said: discord.Message) -> Spot:
    channel, guild = said.channel, said.guild
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    may = None
    if guild and guild.me and isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        may = channel.permissions_for(guild.me)
    return Spot(
        id=channel.id,
        guild=guild.id if guild else None,
        parent=parent,
        may_have_threads=channel.type in HAS_THREADS and (may is None or may.send_messages_in_threads),
        permissions=may.value if may else None,
        file_bytes=guild.filesize_limit if guild else DEFAULT_FILE_BYTES,
    )


def spot_of_interaction(interaction: Interaction) -> Spot:
    channel, may = interaction.channel, interaction.app_permissions
    kind = channel.type if channel else None
    return Spot(
        id=interaction.channel_id or 0,
        guild=interaction.guild_id,
        parent=getattr(channel, "parent_id", None) if kind in THREADS else None,
        may_have_threads=kind in HAS_THREADS and may.send_messages_in_threads,
        permissions=may.value if interaction.guild_id else None,
        file_bytes=interaction.filesize_limit,
    )


def visit_of_message(said: discord.Message, spot: Spot, wish: Wish) -> Visit:
    # Discord tells nobody's language with a message: the guild's is the best guess.
    locale = str(said.guild.preferred_locale) if said.guild else "en"
    return _visit(wish, inbound.author(said.author, locale), said.author, spot)


def visit_of_interaction(interaction: Interaction, spot: Spot, wish: Wish) -> Visit:
    author = inbound.author(interaction.user, str(interaction.locale))
    return _visit(wish, author, interaction.user, spot)


def _visit(wish: Wish, author: Author, user: discord.User | discord.Member, spot: Spot) -> Visit:
    roles = tuple(str(role.id) for role in user.roles) if isinstance(user, discord.Member) else ()
    return Visit(
        wish=wish,
        author=author,
        platform=inbound.PLATFORM,
        team=str(spot.guild or ""),
        channel=spot.policy_channel,
        roles=roles,
        is_bot=user.bot,
        in_dm=spot.guild is None,
        is_manager=isinstance(user, discord.Member) and user.guild_permissions.manage_guild,
    )


def address_of_message(said: discord.Message, spot: Spot, message: Message) -> Address:
    """In a thread of the message, which is opened for it; where one can't be, in the same place."""
    opens = spot.may_have_threads
    thread = inbound.in_thread(spot.guild, said.id) if opens else spot.conversation(said.author.id)
    quoted = inbound.quoted(said)
    return Address(
        thread=thread,
        turn=message.id,
        channel=spot.id,
        asker=said.author.id,
        locale=message.author.locale,
        guild=spot.guild,
        opens=inbound.thread_name(message.text, [each.name for each in message.attachments]) if opens else "",
        root=said.id if opens else None,
        parent=spot.parent,
        asked=said.id,
        asked_in=spot.id,
        quoted=quoted.id if quoted else None,
        asker_name=message.author.name,
        file_bytes=spot.file_bytes,
        permissions=spot.permissions,
    )


@dataclass(frozen=True, slots=True)
class Deferred:
    """An interaction that was answered with "thinking"."""

    original: int
    private: bool = False


def address_of_interaction(
    interaction: Interaction, spot: Spot, author: Author, deferred: Deferred
) -> Address:
    """The response becomes the answer. What is private belongs to the asker alone, also in a thread."""
    may = interaction.app_permissions
    can_write = may.send_messages_in_threads if spot.parent else may.send_messages
    guild, user = interaction.guild_id, interaction.user.id
    own = inbound.of_member(guild, spot.id, user) if deferred.private else spot.conversation(user)
    installed = interaction.is_guild_integration() or guild is None
    return Address(
        thread=own,
        turn=inbound.source(interaction.id),
        channel=spot.id,
        asker=interaction.user.id,
        locale=author.locale,
        guild=spot.guild,
        parent=spot.parent,
        token=interaction.token,
        application=interaction.application_id,
        original=deferred.original,
        created=interaction.created_at.timestamp(),
        private=deferred.private,
        reachable=installed and (guild is None or (may.view_channel and can_write)),
        asker_name=author.name,
        file_bytes=spot.file_bytes,
        permissions=spot.permissions,
    )


def in_new_thread(address: Address, name: str, question: str) -> Address:
    """In a thread of the response, which then shows the question."""
    thread = inbound.in_thread(address.guild, address.original or 0)
    return replace(address, thread=thread, opens=name, root=address.original, asks=question)
