"""Every event, click, command and form, handed to the module that knows what it means.

Listeners do one thing before Slack hears that they heard: what the core has to record. Everything else goes on in the
background.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from adapters.slack import clicks, forms
from adapters.slack.installation import Options, Slack, client_for
from adapters.slack.manifest import ANALYZE_SHORTCUT, ASK_SHORTCUT, COMMAND
from adapters.slack.places import PLATFORM, Place
from adapters.slack.render import EDIT
from bot.messages import Author
from bot.visits import Visit, Wish

log = structlog.get_logger()

Json = dict[str, Any]
Ack = Callable[..., Awaitable[Any]]

ANSWER_SECONDS = 2.0
"""Slack waits three for the answer to a command or a form, and tells people then that the app failed."""


def bolt(slack: Slack, options: Options) -> AsyncApp:
    """The listeners, not yet connected."""
    us, token = slack.connection.us, options.bot_token

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Given here, or Bolt would ask Slack who we are once more.
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=us.team, bot_token=token, bot_user_id=us.user, bot_id=us.bot
        )

    with _without_environment():
        app = AsyncApp(
            client=client_for(None, options.api_url, slack.connection.http),
            authorize=authorize,
            signing_secret=options.signing_secret or "unused over Socket Mode",
            # Slack hears that an event arrived after the listener is done, and sends it again where it failed.
            process_before_response=True,
        )
    _listen_to_events(app, slack)
    _listen_to_clicks(app, slack)
    _listen_to_commands(app, slack)

    @app.error
    async def on_error(error: Exception) -> None:
        log.error("slack.listener_failed", exc_info=error)

    return app


def _listen_to_events(app: AsyncApp, slack: Slack) -> None:
    us = slack.connection.us

    @app.event("message")
    @app.event("app_mention")
    async def on_message(event: Json) -> None:
        await slack.receiving.take(event)

    @app.event("agent_session_stopped")
    async def on_stopped(event: Json) -> None:
        user, channel = str(event["user"]), str(event["channel"])
        visit = Visit(
            Wish.CHANGE, Author(user, user), PLATFORM, us.team, channel, in_dm=channel.startswith("D")
        )
        await slack.receiving.stop(visit, Place(us.team, channel, str(event["thread_ts"])))

    @app.event("file_deleted")
    async def on_file_deleted(event: Json) -> None:
        await slack.receiving.receiver.on_file_deleted(PLATFORM, us.team, str(event["file_id"]))

    @app.event("channel_deleted")
    @app.event("group_deleted")
    async def on_channel_deleted(event: Json) -> None:
        await slack.receiving.receiver.on_channel_deleted(PLATFORM, us.team, str(event["channel"]))

    @app.event("app_home_opened")
    async def on_opened(event: Json) -> None:
        user = str(event["user"])
        if event.get("tab") == "home":
            slack.background.start(slack.asking.show_home(user), "home")
        else:
            slack.background.start(slack.asking.suggest(str(event["channel"]), user), "prompts")

    @app.event("member_joined_channel")
    async def on_joined(event: Json) -> None:
        if event.get("user") == us.user:
            channel, inviter = str(event["channel"]), str(event.get("inviter") or "")
            slack.background.start(slack.asking.introduce(channel, inviter), "introduction")

    @app.event("app_uninstalled")
    @app.event("tokens_revoked")
    async def on_uninstalled(event: Json) -> None:
        if event.get("type") == "tokens_revoked" and us.user not in (event.get("tokens") or {}).get(
            "bot", ()
        ):
            # Somebody's own token: the bot stays, and so does what it holds for everyone else.
            return
        log.warning("slack.uninstalled", event_type=event.get("type"))
        await slack.receiving.receiver.on_uninstalled(PLATFORM, us.team)

    @app.event("app_context_changed")
    @app.event("agent_session_title_changed")
    async def on_nothing(event: Json) -> None:
        """What somebody looks at comes with their messages too, and titles are Slack's."""


def _listen_to_clicks(app: AsyncApp, slack: Slack) -> None:
    us = slack.connection.us

    async def on_click(ack: Ack, body: Json) -> None:
        await ack()
        click = clicks.to_click(body, us)
        work = slack.clicks.edit if click.action == EDIT else slack.clicks.do
        slack.background.start(work(click), click.action)

    for name in clicks.ACTIONS:
        app.action(name)(on_click)

    @app.action(forms.FORGET)
    async def on_forget(ack: Ack, body: Json) -> None:
        await ack()
        slack.background.start(slack.asking.forget(clicks.of_home(body, us)), "forget")


def _listen_to_commands(app: AsyncApp, slack: Slack) -> None:
    asking, background = slack.asking, slack.background

    @app.command(COMMAND)
    async def on_command(ack: Ack, body: Json) -> None:
        if str(body.get("text") or "").strip().lower() == "usage":
            await ack()
            background.start(asking.usage(body), "usage")
            return
        url = str(body["response_url"])
        await _answer(ack, asking.command(body), slack, lambda late: slack.answers.respond_with(url, late))

    @app.shortcut(ASK_SHORTCUT)
    async def on_shortcut(ack: Ack, body: Json) -> None:
        await ack()
        background.start(asking.open_form(body), "form")

    @app.shortcut(ANALYZE_SHORTCUT)
    async def on_analyze(ack: Ack, body: Json) -> None:
        await _answer(ack, asking.analyze(body), slack)

    @app.view(forms.ASK_FORM)
    async def on_question(ack: Ack, body: Json) -> None:
        await _answer(ack, asking.submit_question(body), slack, lambda late: tell_wrong(body, late))

    @app.view(forms.CODE_FORM)
    async def on_code(ack: Ack, body: Json) -> None:
        await _answer(ack, asking.submit_code(body), slack, lambda late: tell_wrong(body, late))

    async def tell_wrong(body: Json, late: Json) -> None:
        # The form is closed by then.
        await asking.tell(str(body["user"]["id"]), " ".join(late["errors"].values()))


async def _answer(
    ack: Ack,
    working: Coroutine[Any, Any, Json | None],
    slack: Slack,
    answer_late: Callable[[Json], Awaitable[object]] | None = None,
) -> None:
    """With what comes of it, or with nothing where that takes too long: what comes later is told in another way."""
    task = asyncio.ensure_future(working)
    done, _ = await asyncio.wait({task}, timeout=ANSWER_SECONDS)
    if done:
        await ack(**(task.result() or {}))
        return

    async def wait_for_it() -> None:
        late = await task
        if late and answer_late:
            await answer_late(late)

    await ack()
    slack.background.start(wait_for_it(), "late answer")


@contextmanager
def _without_environment() -> Iterator[None]:
    """Bolt reads it behind our back: with a client's id and secret there, it drops the token for an OAuth flow."""
    hidden = [name for name in os.environ if name.startswith("SLACK_")]
    kept = {name: os.environ.pop(name) for name in hidden}
    try:
        yield
    finally:
        os.environ.update(kept)
