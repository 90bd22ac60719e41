"""The Thread port on Discord."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import discord
import structlog

from adapters import named_hosts
from adapters.discord import attachments, buttons, inbound, render
from adapters.discord.address import Address
from adapters.discord.complaint import complain
from adapters.discord.delivery import Delivery, nonce
from adapters.discord.draft import Draft
from adapters.discord.errors import UNKNOWN_MESSAGE, DiscordRefused, TooLate
from adapters.discord.places import Channel, Place
from adapters.discord.posted import Outputs, Posted
from adapters.discord.render import Piece
from adapters.discord.sent_before import sent_before
from adapters.discord.status import Status
from adapters.discord.surroundings import Surroundings
from adapters.discord.whereabouts import Whereabouts
from bot.errors import PlatformUnavailable, StoreUnavailable
from bot.execution import Artifact
from bot.messages import Above, Attachment, Message, Output, ThreadId, Update
from bot.sentences import say
from bot.visits import Visit

log = structlog.get_logger()

TYPING_SECONDS = 8
"""Between signs of typing, which last ten: https://discord.com/developers/docs/resources/channel#trigger-typing-indicator."""
LAST_WORD = timedelta(seconds=15)
"""Before a token is no longer used, that its asker is told so."""
REMOVE_AGAIN_SECONDS = (1, 5)
"""Discord.py itself tries again after most errors of the server, but not after 503."""
FOLLOW_UPS = 5
"""Where only a user installed the bot: https://discord.com/developers/docs/interactions/receiving-and-responding."""


class DiscordThread:
    """One for each turn: it knows which message it answers."""

    def __init__(self, address: Address, around: Surroundings) -> None:
        self.id: ThreadId = address.thread
        self.address = address.to_json()
        self._to = address
        self._around = around
        self._where = Whereabouts(address, around)
        self._status = self._new_status()
        self._keeping: list[asyncio.Task[None]] = []
        self._half_sent: tuple[Draft, str] | None = None
        """A status message of which nobody knows whether it was made, or noted; and its nonce."""
        self._has_said_goodbye = False

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        with suppress(PlatformUnavailable):
            await self._where.open()
        self._keeping = [
            asyncio.ensure_future(each)
            for each in (self._status.keep_current(), self._keep_typing(), self._say_goodbye_in_time())
        ]
        try:
            yield
        except BaseException:
            if await self._stop_keeping():
                # Somebody goes on with it: until then, what was shown last should be true.
                with suppress(StoreUnavailable):
                    await self._status.flush()
            raise
        if await self._stop_keeping():
            # It ended without an answer: nobody is there any more who asked.
            await self._remove_status()

    async def progress(self, update: Update) -> None:
        self._status.show(update)

    async def introduce(self, message: Message) -> Message:
        # Discord has said it all with the message.
        return message

    async def meet(self, visit: Visit) -> Visit:
        # Nor has it more to say of a visitor.
        return visit

    async def whisper(self, text: str, key: str) -> None:
        # Nothing but an answer to a command can be for one person alone.
        await self.post(Output(text), key)

    async def above(self, message: Message, *, was_emptied: bool) -> Above:
        # An answer to somebody's message quotes it.
        return await sent_before(self._to, self._around) if was_emptied else Above()

    async def fetch(self, attachment: Attachment, to: Path, limit_bytes: int) -> None:
        await attachments.fetch(attachment, to, limit_bytes, self._to, self._around)

    async def post(self, output: Output, key: str) -> None:
        posted = await Posted.load(self._around.journal, key)
        await self._stop_keeping()
        if not posted.is_done:
            await self._deliver(output, posted)
        # Whoever posted it before may not have come to this.
        await self._remove_status()
        self._status = self._new_status()

    async def _deliver(self, output: Output, posted: Posted) -> None:
        outputs = Outputs(self._around.journal, inbound.source_of(self._to.turn))
        replaces = await outputs.of_others(self._to.turn) if self._to.edited else []
        try:
            await self._where.open()
            delivery = Delivery(self._where, self._around.clock, posted, replaces)
            await delivery.deliver(await self._pieces(output), self._buttons(output))
        except TooLate as error:
            await complain(self._around, self._to, error)
            # To be tried again, it would keep back what they ask next.
            log.warning("discord.not_delivered", turn=self._to.turn, detail=str(error))
            return
        except PlatformUnavailable as error:
            await complain(self._around, self._to, error)
            raise
        await outputs.add(self._to.turn, posted.everything(), alone=self._to.edited)
        await posted.finish()

    # ---- questions to people

    @property
    def can_ask(self) -> bool:
        # What leads to one person for a quarter of an hour is no place for a question that may take a day.
        return not self._where.has_only_token

    async def ask(self, text: str, question: str) -> None:
        asking = buttons.under_question(question, self.id, self._to.locale)
        await (await self._delivery_of(question)).send_beside(Piece(text), asking)

    async def settle(self, text: str, question: str) -> None:
        with suppress(PlatformUnavailable):
            await (await self._delivery_of(question)).change(Piece(text))

    async def _delivery_of(self, question: str) -> Delivery:
        posted = await Posted.load(self._around.journal, f"{self._to.turn}:asked:{question}")
        return Delivery(self._where, self._around.clock, posted)

    # ---- the answer's form

    async def _pieces(self, output: Output) -> tuple[Piece, ...]:
        address = self._to
        notice = f"\n\n-# {say(address.locale, self._where.notice)}" if self._where.notice else ""
        # A long answer takes a second, in which others should not wait.
        made = await asyncio.to_thread(
            render.pieces,
            Output(output.text + notice, await self._fitting(output.artifacts)),
            known_hosts=await named_hosts.recall(self._around.journal, self.id),
            file_bytes=address.file_bytes,
            locale=address.locale,
            longest=FOLLOW_UPS if self._where.has_only_token else render.LONGEST,
        )
        if address.permissions is None or discord.Permissions(address.permissions).attach_files:
            return made
        return tuple(each for each in map(self._without_files, made) if each.text)

    def _without_files(self, piece: Piece) -> Piece:
        """Where the bot may not attach any."""
        return render.without_files(piece, self._to.locale, self._to.channel) if piece.files else piece

    async def _fitting(self, artifacts: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
        """The same; those that are too large here made smaller where that can be."""
        limit, fit = self._to.file_bytes, self._around.fit
        if fit is None:
            return artifacts
        smaller = [await fit(each, limit, self.id) if each.size_bytes > limit else each for each in artifacts]
        return tuple(new or old for new, old in zip(smaller, artifacts, strict=True))

    def _buttons(self, output: Output) -> tuple[buttons.Button, ...]:
        return buttons.under_answer(self._to.turn, self.id, self._to.locale, has_code=bool(output.codes))

    # ---- what goes on meanwhile

    def _new_status(self) -> Status:
        return Status(self._around.clock, self._to.locale, self._write_status)

    async def _stop_keeping(self) -> bool:
        """Whether there was anything to stop."""
        keeping, self._keeping = self._keeping, []
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        return bool(keeping)

    async def _keep_typing(self) -> None:
        """A deferred response shows by itself that the bot is busy."""
        with suppress(PlatformUnavailable):
            place = await self._where.place()
            while isinstance(place, Channel):
                await place.show_typing()
                await self._around.clock.sleep(TYPING_SECONDS)

    async def _say_goodbye_in_time(self) -> None:
        """Before a token dies that is the only way to the asker."""
        if self._where.has_only_token:
            left = self._to.token_ends - LAST_WORD - self._around.clock.now()
            await self._around.clock.sleep(left.total_seconds())
            self._has_said_goodbye = True
            with suppress(PlatformUnavailable):
                await self._edit_status(Draft(self._piece("discord_private_soon"), is_rich=False))

    def _piece(self, sentence: str) -> Piece:
        return Piece(say(self._to.locale, sentence))

    async def _write_status(self, text: str) -> None:
        if not self._has_said_goodbye:
            stop = buttons.stop(self._to.asker, self.id, self._to.locale)
            await self._edit_status(Draft(Piece(text), (stop,), is_rich=False, is_silent=True))

    async def _edit_status(self, draft: Draft) -> None:
        place = await self._where.place()
        if self._where.original:
            await place.edit(self._where.original, draft)
            return
        noted = await self._noted_status()
        if noted > 0:
            try:
                await place.edit(noted, draft)
            except DiscordRefused as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
            else:
                self._half_sent = None
                return
        earlier = self._half_sent
        self._half_sent = earlier or (draft, self._status_nonce(noted))
        message = await self._finish_sending(place, *self._half_sent)
        if earlier:
            # What was found says what was newest then.
            await place.edit(message, draft)

    async def _remove_status(self) -> None:
        """Tried again where Discord does not answer: else it would say for ever that the bot is at work."""
        for seconds in (0, *REMOVE_AGAIN_SECONDS):
            await self._around.clock.sleep(seconds)
            with suppress(PlatformUnavailable):
                try:
                    await self._take_status_away()
                except DiscordRefused as error:
                    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                        raise
                return

    async def _take_status_away(self) -> None:
        noted = await self._noted_status()
        if noted <= 0 and not self._half_sent:
            return
        place = await self._where.place()
        if self._half_sent:
            noted = await self._finish_sending(place, *self._half_sent)
        if noted > 0:
            await place.delete(noted)
            await self._around.journal.note(self._status_key, str(-noted))

    async def _finish_sending(self, place: Place, draft: Draft, its_nonce: str) -> int:
        """Its id: by its nonce Discord finds a message that it has made already, or makes it now."""
        message = await place.send(draft, its_nonce)
        await self._around.journal.note(self._status_key, str(message))
        self._half_sent = None
        return message

    async def _noted_status(self) -> int:
        """The id of the status message; below zero if it is gone, 0 if there was none."""
        return int(await self._around.journal.recall(self._status_key) or 0)

    @property
    def _status_key(self) -> str:
        return f"discord:status:{self._to.turn}"

    def _status_nonce(self, earlier: int) -> str:
        return nonce(f"{self._status_key}:{earlier}")
