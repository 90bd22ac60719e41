"""What Slack refuses → our errors, with the sentence that tells people how to mend it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import PlatformUnavailable

PLACE_CLOSED = {
    "not_in_channel": "slack_not_in_channel",
    "channel_not_found": "slack_not_in_channel",
    "is_archived": "slack_archived",
    "restricted_action": "slack_restricted",
    "restricted_action_read_only_channel": "slack_restricted",
    "restricted_action_thread_only_channel": "slack_restricted",
    "restricted_action_thread_locked": "slack_restricted",
    "restricted_action_non_threadable_channel": "slack_restricted",
    "thread_not_found": "slack_thread_gone",
    "message_not_found": "slack_thread_gone",
    "cannot_reply_to_message": "slack_thread_gone",
    "messages_tab_disabled": "slack_restricted",
}
"""Where nothing can be posted, however it is put → what to tell the asker elsewhere."""
NOT_OURS_TO_MEND = {
    "missing_scope": "slack_missing_scope",
    "no_permission": "slack_missing_scope",
    "invalid_auth": "slack_auth",
    "not_authed": "slack_auth",
    "account_inactive": "slack_auth",
    "token_revoked": "slack_auth",
    "token_expired": "slack_auth",
    "user_is_restricted": "slack_restricted",
    "storage_limit_reached": "slack_storage",
    "file_upload_size_restricted": "slack_storage",
    "file_uploads_disabled": "slack_uploads_off",
    "file_uploads_except_images_disabled": "slack_uploads_off",
}
UNAVAILABLE = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
"""Slack's own troubles: it may have carried the call out, or not."""
LACKING = {
    "unknown_method",
    "not_agent_app",
    "feature_disabled",
    "feature_not_enabled",
    "method_not_supported_for_channel_type",
    "channel_type_not_supported",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "access_denied",
    "http_404",
}
"""This Slack, or this installation, does not have it, and will not have it the next minute either."""
TOO_MANY_REQUESTS = 429


class SlackRefused(PlatformUnavailable):
    """Slack said no, and would again."""

    def __init__(self, method: str, code: str, *, detail: str = "", scope: str = "") -> None:
        sentence = PLACE_CLOSED.get(code) or NOT_OURS_TO_MEND.get(code)
        super().__init__(f"{method}: {code} {detail}".rstrip(), sentence=sentence, scope=scope)
        self.code = code
        """As Slack calls it; `http_404` where it gave a page instead of an answer."""

    @property
    def closes_place(self) -> bool:
        """Nothing can be posted there, however it is put."""
        return self.code in PLACE_CLOSED

    @property
    def is_final(self) -> bool:
        """Neither there nor elsewhere, nor in another form."""
        return self.code in NOT_OURS_TO_MEND


class Unsure(PlatformUnavailable):
    """No answer, or that of a server in trouble: it may have been done."""


class RateLimited(PlatformUnavailable):
    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"{method}: rate limited for {seconds} s")
        self.seconds = seconds


@contextmanager
def slack_errors(method: str) -> Generator[None]:
    """Nothing of the SDK's or of aiohttp's gets out."""
    try:
        yield
    except SlackApiError as error:
        raise _translated(method, error) from error
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unsure(f"{method}: {type(error).__name__}: {error}") from error


def _translated(method: str, error: SlackApiError) -> PlatformUnavailable:
    response: Any = error.response
    body = getattr(response, "data", None)
    answer: dict[str, Any] = body if isinstance(body, dict) else {}
    # The SDK gives its own response, or that of aiohttp where the body could not be read.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    code = str(answer.get("error") or f"http_{status}")
    if status == TOO_MANY_REQUESTS or code in {"ratelimited", "rate_limited"}:
        return RateLimited(method, _seconds(getattr(response, "headers", {}).get("Retry-After")))
    if code in UNAVAILABLE or code.startswith(("http_5", "http_0", "http_2")):
        return Unsure(f"{method}: {code}")
    messages = (answer.get("response_metadata") or {}).get("messages") or []
    return SlackRefused(
        method, code, detail=" ".join(map(str, messages)), scope=str(answer.get("needed") or "")
    )


def _seconds(header: str | None) -> float:
    try:
        return max(0.0, float(header or ""))
    except ValueError:
        return 5.0
