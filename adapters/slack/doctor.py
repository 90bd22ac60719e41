"""Is Slack set up as the bot needs it? Its tokens, what they may do, and whether a socket opens."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import RateLimited, SlackRefused, slack_errors
from adapters.slack.manifest import Feature, missing
from bot.checks import Check
from bot.errors import PlatformUnavailable

NAME = "slack"
APPS = "https://api.slack.com/apps"
_FULL_APP = f"add its permission under OAuth & Permissions at {APPS}, and install the app again"
TIMEOUT = aiohttp.ClientTimeout(total=20)

Json = dict[str, Any]


async def checks(
    bot_token: str, app_token: str, signing_secret: str, api_url: str, channel: str = ""
) -> AsyncIterator[Check]:
    """Asks Slack; nothing is posted. An open socket is closed again before anything is heard on it.

    `channel` is one in which the bot should work.
    """
    async with aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True) as http:
        try:
            known, granted = await _whoami(_client(bot_token, api_url, http))
        except PlatformUnavailable as error:
            yield of_error(error, "SLACK_BOT_TOKEN", "OAuth & Permissions → Bot User OAuth Token")
            return
        yield Check(NAME, True, f"The token is that of {known.get('user')} in {known.get('team')}.")
        for check in of_scopes(granted):
            yield check
        if app_token:
            yield await _of_socket(_client(None, api_url, http), app_token)
        if not app_token and not signing_secret:
            yield Check(
                NAME,
                False,
                "It can speak, but hears nothing.",
                "set SLACK_APP_TOKEN (Basic Information → App-Level Tokens, with connections:write), or "
                "SLACK_SIGNING_SECRET for requests over HTTP",
            )
        if channel:
            yield await _of_channel(_client(bot_token, api_url, http), channel, str(known.get("user")))


def of_error(error: PlatformUnavailable, variable: str, where: str) -> Check:
    if isinstance(error, SlackRefused):
        mend = f"set {variable} to what stands under {where} at {APPS}"
        return Check(NAME, False, f"Slack refuses {variable}: {error.code}.", mend)
    if isinstance(error, RateLimited):
        return Check(
            NAME, False, f"Slack wants to be asked again in {error.seconds:.0f} s.", "wait, and try again"
        )
    return Check(
        NAME,
        False,
        "Slack cannot be reached.",
        "check the network, the proxy, and SLACK_API_URL if it is set",
    )


def of_scopes(granted: Sequence[str]) -> list[Check]:
    """One for each feature that lacks something. Only what nothing works without is a fault."""
    lacking: dict[str, tuple[Feature, list[str]]] = {}
    for scope, feature in missing(granted):
        lacking.setdefault(feature.name, (feature, []))[1].append(scope)
    if not lacking:
        return [Check(NAME, True, "It has every permission that it can use.")]
    return [_of_feature(feature, scopes) for feature, scopes in lacking.values()]


def _of_feature(feature: Feature, scopes: Sequence[str]) -> Check:
    named = ", ".join(scopes)
    mend = f"add {named} under OAuth & Permissions at {APPS}, and install the app again"
    if feature.is_needed:
        return Check(NAME, False, f"Without {named}, nothing works.", mend)
    return Check(NAME, True, f"Without {named}: {feature.without}.", mend)


async def _whoami(client: AsyncWebClient) -> tuple[Json, list[str]]:
    with slack_errors("auth.test"):
        answer = await client.auth_test()
    body: Json = answer.data if isinstance(answer.data, dict) else {}
    scopes = str(answer.headers.get("x-oauth-scopes") or "")
    return body, [scope.strip() for scope in scopes.split(",") if scope.strip()]


async def _of_channel(client: AsyncWebClient, channel: str, bot: str) -> Check:
    try:
        with slack_errors("conversations.info"):
            answer = await client.conversations_info(channel=channel)
    except SlackRefused as refused:
        if refused.code != "channel_not_found":
            return Check(NAME, False, f"Slack does not tell of {channel}: {refused.code}.", _FULL_APP)
        mend = (
            f'take the id at the foot of "View channel details"; in a private channel, type "/invite @{bot}"'
        )
        return Check(NAME, False, f"It sees no channel {channel}.", mend)
    except PlatformUnavailable as error:
        return of_error(error, "SLACK_BOT_TOKEN", "OAuth & Permissions → Bot User OAuth Token")
    found: Json = answer.get("channel") or {}
    name = f"#{found['name']}" if found.get("name") else channel
    if found.get("is_archived"):
        return Check(NAME, False, f"{name} is archived.", "take another channel, or unarchive it")
    if not (found.get("is_member") or found.get("is_im")):
        return Check(NAME, False, f"It is not in {name}.", f'type "/invite @{bot}" in {name}')
    return Check(NAME, True, f"It is in {name}.")


async def _of_socket(client: AsyncWebClient, app_token: str) -> Check:
    try:
        with slack_errors("apps.connections.open"):
            answer = await client.apps_connections_open(app_token=app_token)
            session = client.session
            if session is not None:
                async with session.ws_connect(
                    str(answer["url"]), timeout=aiohttp.ClientWSTimeout(ws_close=5)
                ) as socket:
                    hello = await socket.receive_json(timeout=10)
                    heard = hello.get("type")
    except PlatformUnavailable as error:
        return of_error(error, "SLACK_APP_TOKEN", "Basic Information → App-Level Tokens")
    except (TypeError, ValueError):
        heard = None
    if heard != "hello":
        return Check(
            NAME, False, "A socket opens, but nothing is heard on it.", "look whether a proxy cuts WebSockets"
        )
    return Check(NAME, True, "A socket opens, and Slack says hello on it.")


def _client(token: str | None, api_url: str, http: aiohttp.ClientSession) -> AsyncWebClient:
    client = AsyncWebClient(token, base_url=api_url, session=http, retry_handlers=[])
    # As in app: the session knows proxies, and NO_PROXY.
    client.proxy = None
    return client
