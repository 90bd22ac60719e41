"""Signs of life: shown at once, kept alive, always cleared. Cosmetic: nothing here fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum, auto

import structlog

from adapters.slack.errors import SlackRefused
from adapters.slack.places import Place
from adapters.slack.web import Web
from bot.errors import PlatformUnavailable

log = structlog.get_logger()

REFRESH_SECONDS = 90
"""Slack takes a status away after two minutes: https://docs.slack.dev/reference/methods/assistant.threads.setStatus."""
CLEAR_SECONDS = 5
EYES = "eyes"
NO_STOP = "missing_agent_session_stopped_event_subscription"
TITLE_CHARACTERS = 200


class Sign(StrEnum):
    """From best to surest."""

    SESSION = auto()
    """The agent session's status, with Slack's own Stop button."""
    STATUS = auto()
    """The line below the conversation."""
    REACTION = auto()
    """👀 on the question."""


@dataclass(slots=True)
class Signs:
    web: Web
    place: Place
    question_ts: str
    """Empty where there is no message to react to."""
    asker: str
    title: str
    """What Slack may call the session."""
    status: str
    """What the line says, in the asker's language."""
    is_suspended: bool = False
    """The bot waits for a person: that stays to be seen."""
    _set: set[Sign] = field(default_factory=set[Sign])

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        keeping = asyncio.ensure_future(self._keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._clear()

    async def suspend(self) -> None:
        """The bot waits for a person now."""
        self.is_suspended = True
        if Sign.SESSION in self._set:
            with suppress(PlatformUnavailable):
                await self._session("suspended")

    async def _keep(self) -> None:
        while True:
            for sign in Sign:
                with suppress(PlatformUnavailable):
                    await self._show(sign)
                    break
            await self.web.clock.tick(REFRESH_SECONDS)

    async def _show(self, sign: Sign) -> None:
        # Known before the call: a cancelled one may have been carried out.
        known = sign in self._set
        self._set.add(sign)
        try:
            match sign:
                case Sign.SESSION:
                    await self._session("processing")
                case Sign.STATUS:
                    await self._status(self.status)
                case Sign.REACTION:
                    await self._react()
        except PlatformUnavailable:
            if not known:
                self._set.discard(sign)
            raise

    async def _clear(self) -> None:
        for sign in sorted(self._set, key=list(Sign).index):
            # A minute without an answer would keep the thread from its next turn.
            with suppress(PlatformUnavailable, TimeoutError):
                async with asyncio.timeout(CLEAR_SECONDS):
                    match sign:
                        case Sign.SESSION:
                            await self._session("suspended" if self.is_suspended else "active")
                        case Sign.STATUS:
                            await self._status("")
                        case Sign.REACTION:
                            await self._unreact()
        self._set.clear()

    async def _session(self, status: str) -> None:
        answer = await self.web.once(
            "agents.sessions.setStatus",
            channel_id=self.place.channel,
            thread_ts=self.place.thread_ts,
            status=status,
            title=self.title[:TITLE_CHARACTERS] or None,
            initiator_user_id=self.asker or None,
        )
        warning = answer.get("warning")
        if warning == NO_STOP and not self.web.lacks(NO_STOP):
            # The app was made without the event agent_session_stopped: Slack shows no Stop button.
            log.warning("slack.no_stop_button", mend="update the app from the manifest")
            self.web.remember_lack(NO_STOP)

    async def _status(self, text: str) -> None:
        await self.web.once(
            "assistant.threads.setStatus",
            channel_id=self.place.channel,
            thread_ts=self.place.thread_ts,
            status=text,
        )

    async def _react(self) -> None:
        if not self.question_ts:
            return
        try:
            await self.web.once("reactions.add", **self._reaction())
        except SlackRefused as error:
            if error.code != "already_reacted":
                raise

    async def _unreact(self) -> None:
        if self.question_ts:
            await self.web.once("reactions.remove", **self._reaction())

    def _reaction(self) -> dict[str, str]:
        return {"channel": self.place.channel, "timestamp": self.question_ts, "name": EYES}
