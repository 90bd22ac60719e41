"""What people do with commands and forms: answered at once, then handed over to the core."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import discord

from adapters.discord import answering, forms, inbound, ran
from adapters.discord.answering import defer, whisper
from adapters.discord.handing import Core
from adapters.discord.inbound import Me
from adapters.discord.visiting import Interaction
from adapters.discord.visitor import Visitor
from bot.errors import PlatformUnavailable
from bot.messages import Attachment, Output
from bot.reception import Act
from bot.sentences import explain, say
from bot.visits import Wish


class Desk:
    def __init__(self, core: Core) -> None:
        self._core = core

    # ---- questions

    async def ask(
        self, interaction: Interaction, question: str, files: Sequence[Attachment], *, private: bool
    ) -> None:
        visitor = Visitor(interaction, Wish.ASK)
        if not await visitor.is_refused(self._core):
            await self._ask(visitor, question, files, private=private)

    async def analyze(self, interaction: Interaction, said: discord.Message) -> None:
        visitor = Visitor(interaction, Wish.ASK)
        if not await visitor.is_refused(self._core):
            asked = inbound.message(said, self._me, visitor.author)
            await self._ask(visitor, asked.text, asked.attachments, said=said)

    async def _ask(
        self,
        visitor: Visitor,
        question: str,
        files: Sequence[Attachment],
        *,
        private: bool = False,
        said: discord.Message | None = None,
    ) -> None:
        if not (question.strip() or files):
            await whisper(visitor.interaction, visitor.say("discord_nothing_given"))
            return
        deferred = await defer(visitor.interaction, private=private)
        message = visitor.message(question, files, private=private)
        address = visitor.question_address(message, visitor.address(deferred, said))
        await self._core.ask(message, visitor.visit, address)

    # ---- code of their own

    async def run(self, interaction: Interaction, file: Attachment | None) -> None:
        visitor = Visitor(interaction, Wish.RUN)
        if await visitor.is_refused(self._core):
            return
        if file is None:
            form = forms.code_form(forms.RUN, "Run", visitor.author.locale)
            await answering.modal(interaction, form)
        else:
            await self._run(visitor, "", [file])

    async def run_blocks(self, interaction: Interaction, said: discord.Message) -> None:
        visitor = Visitor(interaction, Wish.RUN)
        if await visitor.is_refused(self._core):
            return
        codes = inbound.code_blocks(said.content)
        if not codes:
            await whisper(interaction, visitor.say("discord_no_blocks"))
            return
        address = visitor.address(await defer(interaction), said)
        is_own = said.author.id == interaction.user.id
        await ran.remember(self._core.journal, said.id, ran.Ran(address, visitor.visit, is_own))
        message = visitor.message(said.content, tuple(map(inbound.attachment, said.attachments)))
        await self._core.run(message, codes, visitor.visit, address)

    async def submit(self, interaction: Interaction) -> None:
        """A form that was filled in."""
        visitor = Visitor(interaction, Wish.RUN)
        is_ours = visitor.custom_id == forms.RUN or visitor.custom_id.startswith(forms.EDIT)
        if is_ours and not await visitor.is_refused(self._core):
            filled = inbound.form(visitor.data)
            clicked = interaction.message
            # Code of a private answer stays private.
            private = bool(clicked and clicked.flags.ephemeral)
            code = filled.values.get(forms.CODE, "")
            await self._run(visitor, code, filled.attachments, private=private)

    async def _run(
        self, visitor: Visitor, code: str, files: Sequence[Attachment], *, private: bool = False
    ) -> None:
        if not (code.strip() or files):
            await whisper(visitor.interaction, visitor.say("discord_nothing_given"))
            return
        deferred = await defer(visitor.interaction, private=private)
        address = visitor.address(deferred)
        codes = (code,) if code.strip() else ()
        await self._core.run(visitor.message(code, files), codes, visitor.visit, address)

    # ---- looking

    async def look(self, interaction: Interaction, act: Act) -> None:
        visitor = Visitor(interaction, Wish.LOOK)
        if not await visitor.is_refused(self._core):
            await defer(interaction, private=True)
            await visitor.show(await self._core.receiver.on_action(visitor.action(act)))

    async def help(self, interaction: Interaction) -> None:
        visitor = Visitor(interaction, Wish.LOOK)
        await defer(interaction, private=True)
        await visitor.show(Output(await introduction(self._core, visitor.author.locale)))

    async def settings(self, interaction: Interaction, **values: str) -> None:
        visitor = Visitor(interaction, Wish.ADMINISTER)
        if not await visitor.is_refused(self._core):
            await defer(interaction, private=True)
            action = replace(visitor.action(Act.SETTINGS), values=values)
            await visitor.show(await self._core.receiver.on_action(action))

    async def stop(self, interaction: Interaction) -> None:
        visitor = Visitor(interaction, Wish.CHANGE)
        if await visitor.is_refused(self._core):
            return
        await defer(interaction, private=True)
        private = inbound.of_member(interaction.guild_id, visitor.spot.id, interaction.user.id)
        threads = dict.fromkeys([visitor.conversation, private])
        stopped = [await self._core.receiver.on_stop(visitor.visit, thread) for thread in threads]
        sentence = "discord_stopping" if any(stopped) else "discord_nothing_runs"
        await visitor.show(Output(visitor.say(sentence)))

    @property
    def _me(self) -> Me:
        user = self._core.client.user
        return Me(user.id if user else 0)


async def introduction(core: Core, locale: str) -> str:
    parts = [say(locale, "discord_help").strip()]
    if not core.options.reads_all_messages:
        parts.append(say(locale, "discord_help_unseen"))
    return "\n\n".join([*parts, await core.receiver.introduction(locale)])


async def apologize(interaction: Interaction, contact: str) -> None:
    """Something of ours broke: the asker reads so, instead of waiting for ever."""
    sentence = explain(str(interaction.locale), PlatformUnavailable("", sentence="internal"), contact=contact)
    with suppress(PlatformUnavailable, discord.HTTPException):
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await whisper(interaction, sentence)
