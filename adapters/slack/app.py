"""START HERE for Slack: opens an installation, and listens for it over Socket Mode, HTTP or both."""

import asyncio

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from adapters.proxies import proxy_for
from adapters.slack.installation import Options, Slack, open_slack
from adapters.slack.listeners import bolt
from adapters.slack.socket import Socket

__all__ = ["Options", "Slack", "open_slack", "serve"]

EVENTS_PATH = "/slack/events"


async def serve(slack: Slack, options: Options) -> None:
    """Listen until cancelled, over Socket Mode, HTTP or both.

    Raises `SlackRefused` when Slack does not take the app's token.
    """
    app = bolt(slack, options)
    async with asyncio.TaskGroup() as listening:
        if options.app_token:
            socket = Socket(
                app, options.app_token, proxy_for(options.api_url), slack.health, slack.on_connected
            )
            listening.create_task(socket.run())
        if options.signing_secret:
            listening.create_task(_serve_http(app, slack, options))


async def _serve_http(app: AsyncApp, slack: Slack, options: Options) -> None:
    runner = web.AppRunner(app.web_app(path=EVENTS_PATH), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        # Where there is a socket too, it tells more.
        slack.health.is_called = not options.app_token
        slack.health.connected()
        slack.on_connected()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
