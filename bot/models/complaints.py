"""What an endpoint says instead of a reply, and what kind of trouble that is.

Endpoints agree on neither statuses nor codes, so their words count too: `tests/models/test_complaints.py` has many.
"""

import re
from dataclasses import dataclass
from typing import Any

from bot.errors import (
    ContextTooLong,
    InputRefused,
    ModelError,
    ModelMisconfigured,
    ModelQuotaExhausted,
    ModelUnavailable,
)

LONGEST_ASKED_WAIT_SECONDS = 120
"""An endpoint that wants more time than this is not waited for."""
SHORTEST_WINDOW = 1000
"""Tokens: a smaller number in an error message is no window."""

WRONG_KEY = {401, 403}
NO_CREDIT = 402
UNKNOWN_PATH = {404, 405, 501}
TOO_LARGE = 413
TOO_MANY = 429
SERVER_ERRORS = range(500, 600)
WORTH_RETRYING = {408, 409, 425, TOO_MANY, *SERVER_ERRORS}


class WorthRetrying(ModelUnavailable):
    """The same request may go through later: after `wait_seconds`, where the endpoint said so."""

    def __init__(self, detail: str, wait_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class Silent(WorthRetrying):
    """The endpoint took the request and then said nothing for too long."""


class Unspoken(ModelMisconfigured):
    """The endpoint does not know this wire format."""


class Rejected(ModelError):
    """The request is not taken as it is. `param` and `message` may tell which part of it is at fault."""

    def __init__(self, detail: str, *, param: str = "", message: str = "") -> None:
        super().__init__(detail)
        self.param = param
        self.message = message


@dataclass(frozen=True, slots=True)
class Failure:
    """What an endpoint said instead of a reply: as an HTTP status, or in the middle of a stream."""

    status: int | None = None
    codes: tuple[str, ...] = ()
    """Its `code` and `type`, as far as there are any."""
    message: str = ""
    param: str = ""
    wait_seconds: float | None = None
    may_retry: bool = True

    def __str__(self) -> str:
        return " ".join(filter(None, [str(self.status or ""), *self.codes, self.message[:500]]))


def to_error(failure: Failure, *, with_pictures: bool = False) -> ModelError:  # noqa: PLR0911  # one a kind
    """What kind of trouble it is. Endpoints agree on neither codes nor statuses, so their words count too."""
    detail, said = str(failure), failure.message
    codes = set(failure.codes)
    if failure.status == NO_CREDIT or codes & _NO_CREDIT_CODES or _NO_CREDIT.search(said):
        return ModelQuotaExhausted(detail)
    if codes & _TOO_LONG_CODES or failure.status == TOO_LARGE or _TOO_LONG.search(said):
        return ContextTooLong(detail, window_tokens=_window_in(said))
    if codes & _WRONG_INPUT_CODES:
        return InputRefused(detail)
    if failure.status in WRONG_KEY or "invalid_api_key" in codes:
        return ModelMisconfigured(detail, reason="key")
    if _NO_TOOLS.search(said):
        return ModelMisconfigured(detail, reason="tools")
    if with_pictures and _NO_IMAGES.search(said):
        return InputRefused(detail, reason="images")
    if with_pictures and failure.status not in WORTH_RETRYING and _ABOUT_IMAGES.search(said):
        return InputRefused(detail, reason="image")
    if "model_not_found" in codes or (failure.status not in WORTH_RETRYING and _NO_MODEL.search(said)):
        return ModelMisconfigured(detail, reason="model")
    if failure.status in UNKNOWN_PATH or _UNKNOWN_PATH.search(said):
        return Unspoken(detail, reason="address")
    if (failure.status in WORTH_RETRYING or failure.status is None) and not _NO_STREAMED_TOOLS.search(said):
        return _later(failure)
    return Rejected(detail, param=failure.param, message=said)


def failure_in(body: Any, *, status: int | None = None) -> Failure:
    """Of the JSON that stands where a reply should."""
    said = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(said, dict):
        return Failure(status, message=str(said))
    codes = tuple(str(each) for each in (said.get("code"), said.get("type")) if each)
    numbers = [int(code) for code in codes if re.fullmatch(r"[45]\d\d", code)]
    return Failure(
        status=next(iter(numbers), status),
        codes=codes,
        message=str(said.get("message") or said),
        param=str(said.get("param") or ""),
    )


def _later(failure: Failure) -> ModelUnavailable:
    if not failure.may_retry or (failure.wait_seconds or 0) > LONGEST_ASKED_WAIT_SECONDS:
        return ModelUnavailable(str(failure))
    return WorthRetrying(str(failure), failure.wait_seconds)


def _window_in(message: str) -> int:
    """The window, where the endpoint tells it while it complains; 0 where it doesn't."""
    found = _WINDOW.search(message)
    tokens = int(found[1].replace(",", "")) if found else 0
    return tokens if tokens >= SHORTEST_WINDOW else 0


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_NO_CREDIT_CODES = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"}
_NO_CREDIT = _words(r"insufficient (balance|credit|funds|quota)|credit balance is too low")

_TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
_TOO_LONG = _words(
    r"maximum context|context (length|size|window).{0,80}exceed|exceed.{0,80}context|reduce the length|"
    r"(prompt|input|request)\b.{0,40}\btoo (long|large)|too many (input |prompt )?tokens"
)
_WINDOW = _words(r"context (?:length|size|window)\D{0,20}(\d[\d,]{3,9})")

_WRONG_INPUT_CODES = {
    "content_policy_violation",
    "content_filter",
    "image_content_policy_violation",
    "invalid_prompt",
    "invalid_image",
    "invalid_image_format",
    "invalid_image_url",
    "invalid_base64_image",
    "image_parse_error",
    "image_too_large",
    "image_too_small",
    "unsupported_image_media_type",
    "empty_image_file",
}
_ABOUT_IMAGES = _words(r"image|picture")
_NO_IMAGES = _words(
    r"\b(not|n't|no|cannot|only)\b.{0,30}(support|accept|allow|enabl|take|handle|endpoint).{0,40}(image|vision|modal)|"
    r"(images?|vision|modal\w*)( input\w*| content)?( is| are)? (not|un)\W?(support|accept|allow|enabl)|"
    r"\bnot an? (multi-?modal|vision)|mmproj|"
    r"unknown variant .?image|image\w* is only supported|content.{0,40} be a (valid )?string"
)

_NO_TOOLS = _words(
    r"does ?(not|n't) support (tools|function)|(tool|function)[- ](use|calling)( is)? not supported|"
    r"requires --enable-auto-tool-choice|no endpoints found that support tool"
)
_NO_STREAMED_TOOLS = _words(r"tools? (with|while|and|in) (a )?stream|stream\w* (with|and) tool")
_NO_MODEL = _words(
    r"model\b.{0,120}(not found|not exist|not available|unknown)|(invalid|unknown|no such) model"
)
_UNKNOWN_PATH = _words(r"(unknown|unexpected|invalid|no such) (endpoint|url|path|route)|unsupported api")
