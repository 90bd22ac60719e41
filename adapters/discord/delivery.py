"""The pieces of one answer on their way: each once, in order, simpler where Discord refuses it."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from adapters.discord import render
from adapters.discord.buttons import Button
from adapters.discord.clock import Clock
from adapters.discord.draft import Draft
from adapters.discord.errors import (
    NO_PERMISSION,
    TOKEN_DEAD,
    TOO_LARGE,
    TOO_OLD_TO_EDIT,
    UNKNOWN_MESSAGE,
    DiscordRefused,
)
from adapters.discord.places import Channel, Place, Response
from adapters.discord.posted import Posted, Sent
from adapters.discord.render import Piece
from adapters.discord.whereabouts import Whereabouts
from bot.errors import PlatformUnavailable

log = structlog.get_logger()

NONCE_SECONDS = 120
"""For so long, and a little more, Discord knows the nonce of a message again ("a few minutes")."""
LAST_FORM = 1000
"""Characters of what is sent when nothing else is taken."""

Form = Callable[[], list[Draft]]


@dataclass(slots=True)
class Delivery:
    where: Whereabouts
    clock: Clock
    posted: Posted
    replaces: Sequence[Sent] = ()
    """What stood under the question before it was edited: changed in place."""

    async def deliver(self, pieces: Sequence[Piece], buttons: tuple[Button, ...]) -> None:
        """Those that were not delivered before. Raises `PlatformUnavailable`."""
        for number in range(len(self.posted.messages), len(pieces)):
            is_last = number == len(pieces) - 1
            key = f"{self.posted.key}:{number}"
            draft = Draft(pieces[number], buttons if is_last else (), marker(key))
            await self._deliver(draft, key, self._stands_there(number))
        await self._remove_rest()

    async def send_beside(self, piece: Piece, buttons: tuple[Button, ...]) -> None:
        """One message that is not the answer, and takes no place of it; once. Raises `PlatformUnavailable`."""
        if self.posted.messages:
            return
        place = self.where.channel((await self.where.open()).channel)
        draft = Draft(piece, buttons, marker(self.posted.key))
        await self.posted.add(place.id, [await self._send_once(place, draft, self.posted.key)])

    async def change(self, piece: Piece) -> None:
        """What was sent says this from now on, without buttons. Raises `PlatformUnavailable`."""
        for channel, message in self.posted.everything():
            await self.where.channel(channel).edit(message, Draft(piece))

    def _stands_there(self, number: int) -> Sent | None:
        """The message that becomes this piece."""
        if number < len(self.replaces):
            return self.replaces[number]
        original = self.where.original
        return (self.where.address.channel, original) if original and number == 0 else None

    async def _remove_rest(self) -> None:
        kept = {message for _, message in self.posted.everything()}
        for channel, message in self.replaces:
            if message not in kept:
                with suppress(PlatformUnavailable):
                    await self.where.channel(channel).delete(message)

    async def _deliver(self, draft: Draft, key: str, old: Sent | None) -> None:
        forms = self._forms(draft)
        while True:
            form = forms.pop(0)
            try:
                await self._deliver_all(form(), key, old)
            except DiscordRefused as error:
                if error.code in TOKEN_DEAD and not self.where.token_is_dead:
                    self.where.token_is_dead = True
                    forms.insert(0, form)
                    continue
                log.warning("discord.refused", code=error.code, detail=str(error))
                about_files = error.code in {TOO_LARGE, NO_PERMISSION} and draft.piece.files
                if not forms or not (error.is_about_the_content or about_files):
                    raise
                if about_files:
                    where = self.where.address.channel if error.code == NO_PERMISSION else None
                    bare = replace(draft, piece=render.without_files(draft.piece, self._locale, where))
                    forms, draft = self._forms(bare), bare
            else:
                return

    def _forms(self, draft: Draft) -> list[Form]:
        """The simplest last."""
        piece, locale = draft.piece, self._locale
        return [
            lambda: [draft],
            lambda: _plain(draft),
            lambda: [draft.simpler(render.as_file(piece, locale))],
            lambda: [
                Draft(render.without_files(Piece(piece.text[:LAST_FORM], piece.files), locale), is_rich=False)
            ],
        ]

    async def _deliver_all(self, drafts: list[Draft], key: str, old: Sent | None) -> None:
        first, *others = drafts
        place = await self.where.place()
        sent = [await self._change(place, first, old) or await self._send_once(place, first, key)]
        sent += [await self._send(place, each, f"{key}.{number}") for number, each in enumerate(others)]
        channel = place.id if isinstance(place, Channel) else self.where.address.channel
        await self.posted.add(channel, sent)

    async def _change(self, place: Place, draft: Draft, old: Sent | None) -> int | None:
        """The old message's id; None where there is none, or it is gone, or does not become this."""
        if old is None:
            return None
        channel, message = old
        is_response = isinstance(place, Response) and message == self.where.original
        try:
            await (place if is_response else self.where.channel(channel)).edit(message, draft)
        except DiscordRefused as error:
            # A message of components cannot become one without; the new one takes its place otherwise.
            stays_rich = old in self.replaces and not draft.is_rich and error.is_about_the_content
            if error.code not in {UNKNOWN_MESSAGE, TOO_OLD_TO_EDIT} and not stays_rich:
                raise
            return None
        return message

    async def _send_once(self, place: Place, draft: Draft, key: str) -> int:
        begun = self.posted.trying
        if begun is None:
            await self.posted.begin(self.clock.now().timestamp())
        elif isinstance(place, Channel):
            since = datetime.fromtimestamp(begun, UTC)
            if self.clock.now() - since > timedelta(seconds=NONCE_SECONDS):
                # Discord has forgotten the nonce of what an earlier try may have sent.
                found = await place.find(draft.marker, since - timedelta(seconds=NONCE_SECONDS))
                if found:
                    return found
        return await self._send(place, draft, key)

    async def _send(self, place: Place, draft: Draft, key: str) -> int:
        if isinstance(place, Response) and not self.where.has_only_token:
            # By its own token the bot can send once; a follow-up could come twice.
            place = self.where.channel(self.where.address.channel)
        form = f"{draft.is_rich} {len(draft.piece.text)} {len(draft.piece.files)}"
        return await place.send(draft, nonce(f"{self.where.address.thread} {key} {form}"))

    @property
    def _locale(self) -> str:
        return self.where.address.locale


def nonce(text: str) -> str:
    """At most 25 characters: https://discord.com/developers/docs/resources/message#create-message."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def marker(text: str) -> int:
    """31 bits: https://discord.com/developers/docs/components/reference#anatomy-of-a-component."""
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return (int.from_bytes(digest) & 0x7FFFFFFF) or 1


def _plain(draft: Draft) -> list[Draft]:
    *others, last = render.plain(draft.piece)
    return [*(replace(draft.simpler(each), buttons=()) for each in others), draft.simpler(last)]
