"""One interaction on its way to the core: who, where, and whether they may."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import discord

from adapters.discord import answering, forms, inbound
from adapters.discord.address import Address
from adapters.discord.answering import whisper
from adapters.discord.handing import Core
from adapters.discord.visiting import (
    Deferred,
    Interaction,
    Spot,
    address_of_interaction,
    in_new_thread,
    spot_of_interaction,
    visit_of_interaction,
)
from bot.messages import Attachment, Author, Message, Output, ThreadId
from bot.reception import Act, Action
from bot.sentences import say
from bot.visits import Visit, Wish


class Visitor:
    def __init__(self, interaction: Interaction, wish: Wish) -> None:
        self.interaction = interaction
        self.spot: Spot = spot_of_interaction(interaction)
        # What an answer's code was changed to comes by the button below it, or by the form behind that.
        changes_answer = wish is Wish.RUN and self.custom_id not in {"", forms.RUN}
        visit = visit_of_interaction(interaction, self.spot, wish)
        self.visit: Visit = replace(visit, changes_answer=changes_answer)
        self.author: Author = self.visit.author
        self.conversation = self.spot.conversation(interaction.user.id)

    @property
    def data(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.interaction.data or {})

    @property
    def custom_id(self) -> str:
        """Of the button or the form; empty for commands."""
        return str(self.data.get("custom_id", ""))

    def say(self, sentence: str, **facts: str) -> str:
        return say(self.author.locale, sentence, **facts)

    def message(self, text: str, files: Sequence[Attachment], *, private: bool = False) -> Message:
        return Message(
            inbound.source(self.interaction.id),
            self.author,
            text.strip(),
            self.interaction.created_at,
            tuple(files),
            has_own_reply=True,
            is_private=private,
        )

    def address(self, deferred: Deferred, said: discord.Message | None = None) -> Address:
        """`said` is the message that the command was used on: it knows new addresses of its files."""
        address = address_of_interaction(self.interaction, self.spot, self.author, deferred)
        return replace(address, asked=said.id, asked_in=said.channel.id) if said else address

    def question_address(self, message: Message, address: Address) -> Address:
        """In a thread where that can be: the work may take longer than the token lives."""
        if address.private or not (self.spot.may_have_threads and address.reachable):
            return address
        names = [each.name for each in message.attachments]
        return in_new_thread(
            address, inbound.thread_name(message.text, names), message.text or ", ".join(names)
        )

    def action(self, act: Act, thread: ThreadId | None = None, turn: str = "") -> Action:
        """In their conversation here, unless another one is given."""
        return Action(str(self.interaction.id), act, self.visit, thread or self.conversation, turn)

    async def show(self, output: Output) -> None:
        await answering.show(self.interaction, output, self.author.locale)

    async def is_refused(self, core: Core) -> bool:
        """Says why by itself."""
        if self.interaction.guild_id is None and not core.options.direct_messages:
            sentence: str | None = self.say("discord_no_dms")
        elif self.visit.wish is Wish.RUN and not (core.options.runs or self.visit.changes_answer):
            sentence = self.say("discord_no_runs")
        else:
            sentence = await answering.refusal(core.receiver, self.visit)
        if sentence is not None:
            await whisper(self.interaction, sentence)
        return sentence is not None
