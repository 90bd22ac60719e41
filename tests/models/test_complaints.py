"""Complaints of many servers, and what kind of trouble each one is. The messages are theirs."""

import pytest

from bot.errors import ContextTooLong, InputRefused, ModelError, ModelMisconfigured, ModelQuotaExhausted
from bot.models.complaints import Failure, Rejected, Unspoken, WorthRetrying, to_error


@pytest.mark.parametrize(
    ("status", "message", "kind", "facts"),
    [
        (
            400,
            "This model's maximum context length is 8192 tokens. However, you requested 9000",
            ContextTooLong,
            8192,
        ),
        (
            400,
            "the request exceeds the available context size (4096 tokens), try increasing it",
            ContextTooLong,
            4096,
        ),
        (
            400,
            "The input token count (40000) exceeds the maximum context length of 32,768",
            ContextTooLong,
            32_768,
        ),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", ContextTooLong, 0),
        (413, "Payload Too Large", ContextTooLong, 0),
        (
            429,
            "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 50000",
            ContextTooLong,
            0,
        ),
        (401, "Incorrect API key provided", ModelMisconfigured, "key"),
        (
            404,
            "The model `gpt-9` does not exist or you do not have access to it.",
            ModelMisconfigured,
            "model",
        ),
        (404, 'model "x" not found, try pulling it first', ModelMisconfigured, "model"),
        (400, "registry.ollama.ai/library/gemma:2b does not support tools", ModelMisconfigured, "tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice to be set', ModelMisconfigured, "tools"),
        (404, "Not Found", Unspoken, "address"),
        (404, "404 page not found", Unspoken, "address"),
        (405, "Method Not Allowed", Unspoken, "address"),
        (402, "Insufficient Balance", ModelQuotaExhausted, None),
        (400, "Your credit balance is too low to access the API", ModelQuotaExhausted, None),
        (429, "Rate limit reached for requests", WorthRetrying, None),
        (500, "llama runner process has terminated", WorthRetrying, None),
        (529, "Overloaded", WorthRetrying, None),
        (None, "An error occurred during streaming", WorthRetrying, None),
        (500, "Cannot use tools with stream", Rejected, None),
        (400, "Unrecognized request argument supplied: stream_options", Rejected, None),
        (422, "Extra inputs are not permitted", Rejected, None),
    ],
)
def test_a_complaint_is_understood(
    status: int | None, message: str, kind: type[ModelError], facts: str | int | None
) -> None:
    error = to_error(Failure(status, message=message))

    assert type(error) is kind
    assert next(iter(error.facts.values()), None) == facts


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (400, "qwen3 is not a multimodal model", "images"),
        (500, "image input is not supported - hint: you may need to provide the mmproj", "images"),
        (404, "No endpoints found that support image input", "images"),
        (400, "Invalid content type. image_url is only supported by certain models.", "images"),
        (422, "messages[1]: unknown variant `image_url`, expected `text`", "images"),
        (400, "this model does not support image input", "images"),
        (400, "Invalid type for 'messages[1].content': content must be a string", "images"),
        (400, "You uploaded an unsupported image. Please make sure your image is valid.", "image"),
        (400, "Image does not represent a valid image.", "image"),
        (400, "Failed to decode image", "image"),
    ],
)
def test_a_model_without_eyes_is_told_from_a_bad_picture(status: int, message: str, reason: str) -> None:
    error = to_error(Failure(status, message=message), with_pictures=True)

    assert type(error) is InputRefused
    assert error.facts == {"reason": reason}


def test_words_about_images_mean_nothing_where_none_was_sent() -> None:
    error = to_error(
        Failure(400, message="Unknown parameter: 'image_detail' is not supported by vision models")
    )

    assert type(error) is Rejected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("insufficient_quota", ModelQuotaExhausted),
        ("context_length_exceeded", ContextTooLong),
        ("content_policy_violation", InputRefused),
        ("invalid_api_key", ModelMisconfigured),
        ("model_not_found", ModelMisconfigured),
        ("rate_limit_exceeded", WorthRetrying),
    ],
)
def test_a_code_in_the_middle_of_a_stream_is_enough(code: str, kind: type[ModelError]) -> None:
    assert type(to_error(Failure(codes=(code,), message="no"))) is kind
