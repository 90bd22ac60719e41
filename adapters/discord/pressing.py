"""What people do with the buttons under an answer."""

from contextlib import suppress
from dataclasses import replace

import discord

from adapters.discord import answering, buttons, forms, inbound
from adapters.discord.answering import defer, whisper
from adapters.discord.buttons import Deed
from adapters.discord.draft import Draft
from adapters.discord.errors import discord_errors
from adapters.discord.handing import Core
from adapters.discord.places import Channel
from adapters.discord.posted import Outputs
from adapters.discord.render import Piece
from adapters.discord.visiting import Interaction
from adapters.discord.visitor import Visitor
from bot.errors import PlatformUnavailable
from bot.messages import Output, ThreadId
from bot.reception import Act, Action
from bot.sentences import say
from bot.visits import Wish

WISHES = {
    Deed.STOP: Wish.CHANGE,
    Deed.SHOW_CODE: Wish.LOOK,
    Deed.EDIT: Wish.RUN,
    Deed.NOTEBOOK: Wish.LOOK,
    Deed.DELETE: Wish.CHANGE,
    Deed.LIKE: Wish.CHANGE,
    Deed.DISLIKE: Wish.CHANGE,
    Deed.ALLOW_ONCE: Wish.CHANGE,
    Deed.ALLOW_THREAD: Wish.CHANGE,
    Deed.DENY: Wish.CHANGE,
    Deed.REVOKE: Wish.CHANGE,
}
DECISIONS = {
    Deed.ALLOW_ONCE: Act.ALLOW_ONCE,
    Deed.ALLOW_THREAD: Act.ALLOW_THREAD,
    Deed.DENY: Act.DENY,
    Deed.REVOKE: Act.REVOKE,
}
FOR_THE_ASKER = frozenset({Deed.STOP, Deed.EDIT, Deed.DELETE})
"""And for those who manage messages; the others are for whoever can see the answer."""


class Pressing:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def press(self, interaction: Interaction, deed: Deed, *, own: bool, key: str) -> None:
        """`key` is the turn whose button it is; of "Stop", who asked."""
        visitor = Visitor(interaction, WISHES[deed])
        if await visitor.is_refused(self._core):
            return
        if deed in FOR_THE_ASKER and not await self._may(visitor, deed, key):
            return
        guild, channel, user = interaction.guild_id, visitor.spot.id, interaction.user.id
        thread = inbound.of_member(guild, channel, user) if own else inbound.in_thread(guild, channel)
        match deed:
            case Deed.STOP:
                # Whoever stops another member's own work stops it where that one does it.
                own_thread = inbound.of_member(guild, channel, int(key))
                await self._stop(visitor, own_thread if own else thread)
            case Deed.SHOW_CODE:
                await self._show(visitor, Act.SHOW_CODE, thread, key)
            case Deed.EDIT:
                await self._edit(visitor, key, own=own)
            case Deed.NOTEBOOK:
                await self._show(visitor, Act.NOTEBOOK, thread, key)
            case Deed.DELETE:
                await self._delete(visitor, thread, key)
            case Deed.LIKE | Deed.DISLIKE:
                await whisper(interaction, visitor.say("discord_thanks"))
                act = Act.LIKE if deed is Deed.LIKE else Act.DISLIKE
                await self._core.receiver.on_action(visitor.action(act, thread, key))
            case _:
                await self._decide(visitor, visitor.action(DECISIONS[deed], thread, key), own=own)

    async def _may(self, visitor: Visitor, deed: Deed, key: str) -> bool:
        """Says no by itself."""
        interaction = visitor.interaction
        if interaction.guild_id is None or interaction.permissions.manage_messages:
            return True
        asker: str | None = key
        if deed is not Deed.STOP:
            asker = await answering.in_time(self._core.receiver.asker(key), None)
        if asker == str(interaction.user.id):
            return True
        await whisper(interaction, visitor.say("discord_not_yours", name=f"<@{asker}>" if asker else "…"))
        return False

    async def _stop(self, visitor: Visitor, thread: ThreadId) -> None:
        await defer(visitor.interaction, private=True)
        # Whoever is no manager is the asker: see `_may`.
        stopped = await self._core.receiver.on_stop(replace(visitor.visit, is_manager=True), thread)
        await visitor.show(Output(visitor.say("discord_stopping" if stopped else "discord_nothing_runs")))

    async def _show(self, visitor: Visitor, act: Act, thread: ThreadId, turn: str) -> None:
        await defer(visitor.interaction, private=True)
        output = await self._core.receiver.on_action(visitor.action(act, thread, turn))
        is_empty = not (output.text or output.artifacts)
        await visitor.show(Output(visitor.say("discord_no_code")) if is_empty else output)

    async def _edit(self, visitor: Visitor, turn: str, *, own: bool) -> None:
        code = await answering.in_time(self._core.receiver.code(turn), "")
        if not code:
            await whisper(visitor.interaction, visitor.say("discord_no_code"))
            return
        locale = visitor.author.locale
        custom_id = f"{forms.EDIT}{int(own)}:{turn}"
        form = forms.code_form(custom_id, say(locale, "discord_edit"), locale, code)
        await answering.modal(visitor.interaction, form)

    async def _decide(self, visitor: Visitor, action: Action, *, own: bool) -> None:
        """About a host: what was decided takes the place of the question."""
        interaction = visitor.interaction
        with discord_errors():
            await interaction.response.defer()
        decided = await self._core.receiver.on_decision(action)
        locale = visitor.author.locale
        under = (buttons.revoke(action.turn, locale, own=own),) if decided.can_be_revoked else ()
        with discord_errors():
            if decided.is_for_all:
                await interaction.edit_original_response(**Draft(Piece(decided.text), under).to_edit())
            else:
                await interaction.followup.send(decided.text, ephemeral=True, suppress_embeds=True)

    async def _delete(self, visitor: Visitor, thread: ThreadId, turn: str) -> None:
        interaction = visitor.interaction
        await interaction.response.defer()
        clicked = interaction.message.id if interaction.message else 0
        outputs = Outputs(self._core.journal, inbound.source_of(turn))
        for channel, message in await outputs.recall():
            if message != clicked:
                with suppress(PlatformUnavailable):
                    await Channel(self._core.client, channel).delete(message)
        # By the click's token, since what is private can't be reached otherwise.
        with suppress(discord.HTTPException):
            await interaction.delete_original_response()
        await self._core.receiver.on_action(visitor.action(Act.DELETE, thread, turn))
