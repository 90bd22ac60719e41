"""The bot's commands, as Discord lists them."""

import hashlib
import json
from typing import Any

import discord
from discord import app_commands

from adapters.discord import inbound
from adapters.discord.desk import Desk
from adapters.discord.errors import discord_errors
from adapters.discord.seam import Options
from adapters.discord.visiting import Interaction
from bot.reception import Act, Journal

QUESTION = 4000
"""Characters."""


class _PlaceTransformer(app_commands.Transformer):
    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        return [discord.ChannelType.text, discord.ChannelType.news, discord.ChannelType.forum]

    async def transform(self, interaction: discord.Interaction, value: Any, /) -> Any:
        return value


Tree = app_commands.CommandTree[discord.Client]
Place = app_commands.Transform[app_commands.AppCommandChannel, _PlaceTransformer]
"""A channel in which people can ask. For forums discord.py would list media channels too, which its API refuses."""
File = discord.Attachment | None


def add_commands(tree: Tree, desk: Desk, options: Options) -> None:
    _add_asking(tree, desk)
    _add_looking(tree, desk)
    _add_settings(tree, desk)
    if options.runs:
        _add_running(tree, desk)


def _add_asking(tree: Tree, desk: Desk) -> None:
    @tree.command(description="Ask about your files or data; I answer by running Python")
    @app_commands.describe(
        question="What you would like to know", private="Only you see the answer", file1="A file to work on"
    )
    async def ask(  # noqa: PLR0913, PLR0917  # Discord has no lists of files
        interaction: Interaction,
        question: app_commands.Range[str, 1, QUESTION],
        file1: File = None,
        file2: File = None,
        file3: File = None,
        file4: File = None,
        file5: File = None,
        private: bool = False,
    ) -> None:
        given = [inbound.attachment(file) for file in (file1, file2, file3, file4, file5) if file]
        await desk.ask(interaction, question, given, private=private)

    @tree.context_menu(name="Analyze")
    async def analyze(interaction: Interaction, message: discord.Message) -> None:
        await desk.analyze(interaction, message)

    @tree.command(description="Stop what is running here for you")
    async def stop(interaction: Interaction) -> None:
        await desk.stop(interaction)


def _add_running(tree: Tree, desk: Desk) -> None:
    @tree.command(description="Run your own Python, in the same session")
    @app_commands.describe(file="A Python file; without one you get a form")
    async def run(interaction: Interaction, file: File = None) -> None:
        await desk.run(interaction, inbound.attachment(file) if file else None)

    @tree.context_menu(name="Run code blocks")
    async def run_code_blocks(interaction: Interaction, message: discord.Message) -> None:
        await desk.run_blocks(interaction, message)


def _add_looking(tree: Tree, desk: Desk) -> None:
    @tree.command(description="The files of this conversation")
    async def files(interaction: Interaction) -> None:
        await desk.look(interaction, Act.FILES)

    @tree.command(description="This conversation as a notebook that runs elsewhere")
    async def notebook(interaction: Interaction) -> None:
        await desk.look(interaction, Act.NOTEBOOK)

    @tree.command(description="What you have used, and your limits")
    async def usage(interaction: Interaction) -> None:
        await desk.look(interaction, Act.USAGE)

    @tree.command(name="help", description="What I can do, and where your data goes")
    async def help_(interaction: Interaction) -> None:
        await desk.help(interaction)


def _add_settings(tree: Tree, desk: Desk) -> None:
    @tree.command(description="Who may use me where, and how much")
    @app_commands.describe(
        channel="For this channel",
        role="For this role",
        user="For this member",
        allowed="Whether I may be used there, or by them",
        turns_a_day="How many questions a day",
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def settings(  # noqa: PLR0913, PLR0917  # what can be set
        interaction: Interaction,
        channel: Place | None = None,
        role: discord.Role | None = None,
        user: discord.Member | None = None,
        allowed: bool | None = None,
        turns_a_day: app_commands.Range[int, 0, 10_000] | None = None,
    ) -> None:
        values = {
            "channel": str(channel.id) if channel else "",
            "role": str(role.id) if role else "",
            "user": str(user.id) if user else "",
            "allowed": "" if allowed is None else "yes" if allowed else "no",
            "turns_a_day": "" if turns_a_day is None else str(turns_a_day),
        }
        await desk.settings(interaction, **{name: value for name, value in values.items() if value})


async def sync(tree: Tree, journal: Journal, application: int) -> None:
    """Tell Discord of the commands, if they are others than last time: it takes 200 new ones a day.

    Raises `PlatformUnavailable`.
    """
    payloads: list[Any] = [command.to_dict(tree) for command in tree.get_commands()]
    payloads += [command.to_dict(tree) for command in tree.get_commands(type=discord.AppCommandType.message)]
    payloads.sort(key=lambda each: (each["type"], each["name"]))
    digest = hashlib.sha256(json.dumps(payloads, sort_keys=True).encode()).hexdigest()
    key = f"discord:commands:{application}"
    if await journal.recall(key) != digest:
        with discord_errors():
            await tree.sync()
        await journal.note(key, digest)
