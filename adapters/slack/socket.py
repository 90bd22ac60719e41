"""Socket Mode, and somebody who watches it: a connection that hears nothing any more is opened anew.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from adapters.slack.errors import SlackRefused, slack_errors
from adapters.slack.health import Health
from bot.errors import PlatformUnavailable

log = structlog.get_logger()

PING_SECONDS = 10
LOOK_SECONDS = 5
CONNECT_SECONDS = 30
CLOSE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Socket:
    app: AsyncApp
    app_token: str
    proxy: str | None
    health: Health
    on_connected: Callable[[], None]
    """Called for each new connection, the first one too: what happened before it was not heard."""
    ping_seconds: float = PING_SECONDS

    async def run(self) -> None:
        """Until cancelled. Raises `SlackRefused` when Slack does not take the token."""
        while True:
            try:
                await self._connected()
            except SlackRefused:
                raise
            except PlatformUnavailable as error:
                log.warning("slack.not_connected", detail=str(error))
                await self.health.clock.pause(LOOK_SECONDS)
            self.health.is_connected = False

    async def _connected(self) -> None:
        """One connection, until it is deaf."""
        handler = AsyncSocketModeHandler(self.app, self.app_token, ping_interval=self.ping_seconds)
        client: SocketModeClient = handler.client
        # The SDK takes proxies from the environment, and ignores NO_PROXY there.
        client.proxy = self.proxy
        client.message_listeners.append(self._on_message)
        try:
            # Asked for here, since the SDK tries for ever where a token is wrong.
            client.wss_uri = await self._address(client)
            with slack_errors("apps.connections.open"):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await client.connect()  # type: ignore[no-untyped-call]
            await self._watch(client)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()  # type: ignore[no-untyped-call]

    async def _address(self, client: SocketModeClient) -> str:
        with slack_errors("apps.connections.open"):
            answer = await client.web_client.apps_connections_open(app_token=self.app_token)
            return str(answer["url"])

    async def _watch(self, client: SocketModeClient) -> None:
        """The SDK opens a new connection by itself in most cases. This returns where it does not."""
        session: Any = None
        deaf_since: float | None = None
        while True:
            if client.current_session is not session:
                session = client.current_session
                self.health.connected()
                self.on_connected()
            now = self.health.clock.now()
            if await client.is_connected():
                deaf_since = None
                self.health.is_connected = True
                self.health.heard_pong()
            else:
                deaf_since = now if deaf_since is None else deaf_since
                self.health.is_connected = False
                if now - deaf_since >= CONNECT_SECONDS:
                    log.warning("slack.deaf", seconds=round(now - deaf_since))
                    return
            await self.health.clock.tick(LOOK_SECONDS)

    async def _on_message(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        self.health.heard_event()
