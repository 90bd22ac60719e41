"""Slack's Web API for one installation: patient with answers, in no hurry with decoration."""

import json
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.clock import Clock
from adapters.slack.errors import LACKING, RateLimited, SlackRefused, Unsure, slack_errors

log = structlog.get_logger()

Json = dict[str, Any]

PATIENCE_SECONDS = 600
"""Most that one call waits in all, for rate limits or for a Slack in trouble."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
REMEMBERED_SECONDS = 3600
"""How long something that this Slack does not have is not asked for again."""

_ONCE_ONLY = {
    "chat.postMessage",
    "chat.postEphemeral",
    "chat.startStream",
    "chat.appendStream",
    "files.completeUploadExternal",
    "views.open",
    "views.push",
}
"""Done twice, they would be seen twice."""
_AS_FORM = ("conversations.", "users.", "usergroups.", "files.", "bots.", "auth.")
"""Methods that do not all take JSON: https://docs.slack.dev/apis/web-api/#methods_supporting_json."""


class Web:
    """What all threads of an installation share: the client, its rate limits, and what this Slack has not."""

    def __init__(self, client: AsyncWebClient, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock or Clock()
        self._limited_until = 0.0
        self._lacking: dict[str, float] = {}

    async def ask(self, method: str, /, **args: Any) -> Json:
        """The answer, however long that takes, within reason.

        Raises `SlackRefused`; `Unsure` where a call that must not be repeated may have been carried out, and
        when patience is at its end.
        """
        waited, pause = 0.0, FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._call(method, args)
            except RateLimited as error:
                # Whatever only decorates steps aside meanwhile.
                self._limited_until = max(self._limited_until, self.clock.now() + error.seconds)
                seconds, failure = error.seconds, Unsure(str(error))
            except Unsure as error:
                if method in _ONCE_ONLY:
                    raise
                seconds, failure = pause, error
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            waited += seconds
            if waited > PATIENCE_SECONDS:
                raise failure
            log.info("slack.waited", method=method, seconds=seconds)
            await self.clock.pause(seconds)

    async def once(self, method: str, /, **args: Any) -> Json:
        """The answer to something that could as well be left out: one try, none while others wait for Slack.

        Raises `PlatformUnavailable`. What this Slack does not have is remembered.
        """
        key = _kind(method, args)
        if self.lacks(key):
            raise SlackRefused(method, "unknown_method", detail="remembered")
        if self.clock.now() < self._limited_until:
            raise RateLimited(method, self._limited_until - self.clock.now())
        try:
            return await self._call(method, args)
        except RateLimited as error:
            self._limited_until = max(self._limited_until, self.clock.now() + error.seconds)
            raise
        except SlackRefused as error:
            if error.code in LACKING:
                log.info("slack.lacks", method=method, code=error.code)
                self.remember_lack(key)
            raise

    def lacks(self, thing: str) -> bool:
        """Whether this was refused not long ago, as not to be had here."""
        until = self._lacking.get(thing)
        return until is not None and self.clock.now() < until

    def remember_lack(self, thing: str) -> None:
        self._lacking[thing] = self.clock.now() + REMEMBERED_SECONDS

    def lacks_stream(self, channel: str) -> bool:
        return self.lacks(_kind("chat.startStream", {"channel": channel}))

    async def _call(self, method: str, args: Json) -> Json:
        given = {name: value for name, value in args.items() if value is not None}
        with slack_errors(method):
            if method.startswith(_AS_FORM):
                answer = await self.client.api_call(method, data=_form(given))
            else:
                answer = await self.client.api_call(method, json=given)
            body: Json = answer.data if isinstance(answer.data, dict) else {}
        return body


def _kind(method: str, args: Json) -> str:
    """Some methods are there for DMs only."""
    channel = str(args.get("channel") or args.get("channel_id") or "")
    return f"{method} {channel[:1]}"


def _form(args: Json) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in args.items()}
