"""The SDK's exceptions as ours, in one place: none of its types leaves this package."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai

from bot.errors import ModelError, ModelMisconfigured, ModelUnavailable
from bot.models.complaints import Failure, Silent, WorthRetrying, failure_in, to_error


@contextmanager
def openai_errors(api_key: str, *, with_pictures: bool = False) -> Iterator[None]:
    """Raises a `ModelError` where the SDK would raise. The key is in none of its texts."""
    try:
        yield
    except TimeoutError as error:
        raise Silent("the endpoint was silent for too long") from error
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        raise _unreachable(error) from error
    except openai.APIError as error:
        # Some servers quote the key they were given, and the log prints causes.
        error.args = (_without(api_key, error.message),)
        raise to_error(_failure(error, api_key), with_pictures=with_pictures) from error
    except UnicodeEncodeError:
        # Not from that error: it quotes the key.
        raise ModelMisconfigured("a key that is not ASCII", reason="key") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WorthRetrying("a reply that is not JSON") from error


def _unreachable(error: Exception) -> ModelError:
    """By the kinds of its causes: their texts may hold the key, or an address with a password."""
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    detail = " < ".join(type(each).__name__ for each in causes)
    if any(isinstance(each, httpx2.LocalProtocolError) for each in causes):
        return ModelMisconfigured(detail, reason="key")  # a line break in it, which no header may hold
    if any(isinstance(each, httpx2.UnsupportedProtocol) for each in causes):
        return ModelMisconfigured(detail, reason="address")
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return ModelUnavailable(detail, reason="certificate")
    return WorthRetrying(detail)


def _failure(error: openai.APIError, api_key: str) -> Failure:
    body = _without(api_key, error.body)
    message = _without(api_key, error.message)
    if not isinstance(error, openai.APIStatusError):
        # In the middle of a stream: the body is what stood under `error`.
        return failure_in(body or message)
    failure = failure_in(body or message, status=error.status_code)
    return Failure(
        status=error.status_code,
        codes=failure.codes,
        message=message,
        param=failure.param,
        wait_seconds=_wait_seconds(error.response.headers),
        may_retry=error.response.headers.get("x-should-retry") != "false",
    )


def _wait_seconds(headers: Any) -> float | None:
    for name, a_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return max(0.0, float(headers[name]) / a_second)
        except (KeyError, ValueError):
            continue
    return None


def _without(secret: str, said: Any) -> Any:
    match said:
        case str():
            return said.replace(secret, "…") if secret else said
        case dict():
            return {name: _without(secret, value) for name, value in said.items()}
        case list():
            return [_without(secret, value) for value in said]
        case _:
            return said
