"""Short answers to one person: what nobody else needs to see."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from adapters.slack.connection import Connection
from adapters.slack.errors import SlackRefused, slack_errors
from adapters.slack.files import Uploading
from adapters.slack.mrkdwn import escape
from adapters.slack.places import Place
from adapters.slack.render import Rendered, Rendering
from adapters.slack.safe import quiet
from bot.messages import Output

Json = dict[str, Any]

RESPONSE_TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Answers:
    connection: Connection

    async def whisper(self, user: str, place: Place, text: str, *, is_urgent: bool = True) -> None:
        """One sentence; one that is not urgent is left out rather than waited for."""
        web = self.connection.web
        await self._post(user, place, {"text": quiet(text)}, web.ask if is_urgent else web.once)

    async def show(self, user: str, place: Place, output: Output, key: str) -> None:
        """Text for that person alone; artifacts in the thread, since Slack has no other place for files."""
        locale = (await self.connection.people.author(user)).locale
        rendered = Rendering(locale=locale).render(output)
        await self._show_text(user, place, rendered)
        connection = self.connection
        uploading = Uploading(connection.web, connection.http, connection.journal, place)
        for _, error in await uploading.share(rendered.files, rendered.comment, key):
            raise error

    async def respond(self, url: str, output: Output, locale: str) -> None:
        """To a command, by the address that Slack gave with it: works where the bot is no member too."""
        for part in Rendering(locale=locale).render(output).parts:
            for form in part.forms:
                if await self.respond_with(url, form.args):
                    break

    async def respond_with(self, url: str, args: Json) -> bool:
        """Whether Slack took it."""
        body = {"response_type": "ephemeral", **args, "unfurl_links": False, "unfurl_media": False}
        with slack_errors("response_url"):
            async with self.connection.http.post(url, json=body, timeout=RESPONSE_TIMEOUT) as response:
                return response.ok

    async def _show_text(self, user: str, place: Place, rendered: Rendered) -> None:
        for part in rendered.parts:
            for form in part.forms:
                with suppress(SlackRefused):
                    await self._post(user, place, form.args, self.connection.web.ask)
                    break

    async def _post(self, user: str, place: Place, args: Json, call: Callable[..., Awaitable[Json]]) -> None:
        await call(
            "chat.postEphemeral",
            channel=place.channel,
            user=user,
            thread_ts=place.thread_ts or None,
            unfurl_links=False,
            unfurl_media=False,
            **args,
        )


def plain(text: str) -> Json:
    """Of the arguments of an acknowledgement: text as it is."""
    return {"response_type": "ephemeral", "text": escape(text)}
