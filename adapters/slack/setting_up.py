"""From no app at all to a first reply, step by step, with somebody at a terminal."""

import asyncio
import json
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from adapters.slack.app import serve
from adapters.slack.doctor import APPS, checks
from adapters.slack.installation import API_URL, Options, Slack, open_slack
from adapters.slack.manifest import manifest
from bot.checks import Check
from bot.messages import Message, Output, ThreadId
from bot.reception import Action, Decided, DurableThread, Kept, MemoryJournal
from bot.sentences import say
from bot.visits import Visit

FIRST_MESSAGE_SECONDS = 900


class Operator(Protocol):
    """Whoever sets it up."""

    def say(self, text: str) -> None: ...

    async def secret(self, question: str) -> str:
        """What they type, which nobody else sees; empty to give up."""
        ...

    def keep(self, options: Options) -> None:
        """Both tokens work."""
        ...


async def set_up(operator: Operator, api_url: str = API_URL) -> Options | None:
    """Tokens that work, and that somebody was heard with; None where the operator gave up or nobody wrote."""
    operator.say(
        f"1. Make the app: open this address, choose your workspace, and press Create.\n\n{new_app_url()}\n\n"
        f'Or, at {APPS}: Create New App, "From a manifest", and paste what `plotline slack manifest` prints.'
    )
    operator.say(
        '2. In the app, press "Install to Workspace". Then, under OAuth & Permissions, copy the bot token.'
    )
    bot_token = await _token(operator, "Bot User OAuth Token (xoxb-…): ", "", api_url)
    if not bot_token:
        return None
    operator.say(
        "3. Under Basic Information → App-Level Tokens, make one with the scope connections:write, and copy it."
    )
    app_token = await _token(operator, "App-Level Token (xapp-…): ", bot_token, api_url)
    if not app_token:
        return None
    options = Options(bot_token, app_token=app_token, api_url=api_url)
    operator.keep(options)
    return options if await _first_reply(operator, options) else None


def new_app_url() -> str:
    """Opens Slack's form for a new app, filled in."""
    described = json.dumps(manifest(), separators=(",", ":"), ensure_ascii=False)
    return f"{APPS}?new_app=1&manifest_json={quote(described)}"


async def _token(operator: Operator, question: str, bot_token: str, api_url: str) -> str:
    """One that Slack takes; without a bot's token it is that one that is asked for."""
    while token := (await operator.secret(question)).strip():
        tokens = (bot_token, token) if bot_token else (token, "unknown yet")
        found = [check async for check in checks(*tokens, "", api_url)]
        # Who it is and what it may do come first, the socket last.
        told = found[-1:] if bot_token else (found[:-1] or found)
        operator.say("\n".join(_shown(check) for check in told))
        if all(check.ok for check in told):
            return token
    return ""


async def _first_reply(operator: Operator, options: Options) -> bool:
    greeter = _Greeter()
    async with open_slack(options, greeter, MemoryJournal()) as slack:
        serving = asyncio.ensure_future(serve(slack, options))
        operator.say(
            f"4. Now write to @{slack.connection.us.name} in Slack, directly or in a channel that it is in."
        )
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                await _answer(slack, greeter)
        except TimeoutError:
            operator.say("Nothing came. `plotline doctor` tells what may be missing.")
            return False
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    operator.say("It was heard, and answered. All is set.")
    return True


async def _answer(slack: Slack, greeter: "_Greeter") -> None:
    message, thread = await greeter.asked.get()
    locale = (await slack.connection.people.author(message.author.id)).locale
    await thread.post(Output(say(locale, "slack_hello")), f"{message.id}:answer")


def _shown(check: Check) -> str:
    mark = "✓" if check.ok else "✗"
    return f"{mark} {check.detail}" + (f"\n  ▸ {check.mend}" if check.mend else "")


class _Greeter:
    """A core that has only just begun: it hears the first message."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[Message, DurableThread]] = asyncio.Queue()

    async def on_message(self, message: Message, visit: Visit, thread: DurableThread) -> None:
        await self.asked.put((message, thread))

    async def serves(self, platform: str, team: str) -> bool:
        return True

    async def on_run(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None: ...

    async def on_edit(
        self, message: Message, codes: Sequence[str], visit: Visit, thread: DurableThread
    ) -> None: ...

    async def on_delete(self, message_id: str, thread: ThreadId) -> None: ...

    async def on_file_deleted(self, platform: str, team: str, file: str) -> None: ...

    async def on_thread_deleted(self, thread: ThreadId) -> None: ...

    async def on_channel_deleted(self, platform: str, team: str, channel: str) -> None: ...

    async def on_uninstalled(self, platform: str, team: str) -> None: ...

    async def on_stop(self, visit: Visit, thread: ThreadId) -> bool:
        return False

    async def on_action(self, action: Action) -> Output:
        return Output()

    async def on_decision(self, action: Action) -> Decided:
        return Decided("")

    async def refusal(self, visit: Visit) -> str | None:
        return None

    async def introduction(self, locale: str) -> str:
        return say(locale, "slack_hello")

    async def asker(self, turn: str) -> str | None:
        return None

    async def code(self, turn: str) -> str:
        return ""

    async def holds(self, thread: ThreadId) -> bool:
        return False

    async def has_heard(self, message_id: str) -> bool:
        return False

    async def kept(self, thread: ThreadId) -> Sequence[Kept]:
        return ()

    async def recent(self, platform: str, team: str) -> Sequence[tuple[ThreadId, str]]:
        return ()
