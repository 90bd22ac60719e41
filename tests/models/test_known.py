"""What is assumed of a model before anybody has asked it."""

from typing import Any

import pytest

from bot.models import known, memory

OPENAI = known.OPENAI_URL
OLLAMA = "http://localhost:11434/v1"
VLLM = "http://10.0.0.7:8000/v1"
ROUTER = "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["gpt-5.5", "gpt-6-luna", "gpt-6.1-sol", "gpt-6.2-astra", "whisper-1"], "gpt-6.1-sol"),
        (["gpt-6.2-sol", "gpt-6.2-terra", "gpt-6.2-astra"], "gpt-6.2-sol"),
        (["gpt-5.4-mini", "text-embedding-3-small", "gpt-image-2"], "gpt-5.4-mini"),
        (["gpt-10", "gpt-6-sol"], "gpt-10"),
        (["nomic-embed-text:latest", "qwen3:8b", "llama3.2:3b"], "qwen3:8b"),
        (["bge-m3"], None),
        ([], None),
    ],
)
def test_a_model_is_chosen_that_can_talk(offered: list[str], chosen: str | None) -> None:
    assert known.choose(offered) == chosen


@pytest.mark.parametrize(
    ("url", "model", "first"),
    [
        (OPENAI, "gpt-6-luna", "responses"),
        ("https://x.openai.azure.com/openai/v1", "our-deployment", "responses"),
        (ROUTER, "openai/gpt-6-sol", "responses"),
        (OLLAMA, "qwen3:8b", "chat"),
        (OLLAMA, "gpt-oss:20b", "chat"),
        (VLLM, "anything", "chat"),
        ("https://openai.com.evil.example/v1", "anything", "chat"),
    ],
)
def test_the_likelier_format_is_tried_first(url: str, model: str, first: str) -> None:
    assert known.formats(url, model)[0] == first


@pytest.mark.parametrize(
    ("url", "model", "listed", "tokens"),
    [
        (OPENAI, "gpt-4o", {}, 128_000),
        (OPENAI, "gpt-4", {}, 8192),
        (OPENAI, "gpt-6-luna", {}, known.MOST_TOKENS),
        (OPENAI, "gpt-99", {}, known.UNKNOWN_TOKENS),
        (VLLM, "anything", {"max_model_len": 20_000}, 20_000),
        (VLLM, "anything", {"max_model_len": None}, known.UNKNOWN_TOKENS),
        (ROUTER, "meta/llama", {"context_length": 64_000}, 64_000),
        (OLLAMA, "qwen3:8b", {}, known.SILENTLY_CUT_TOKENS),
        ("http://gpu-box:8080/v1", "qwen3:8b", {"owned_by": "library"}, known.SILENTLY_CUT_TOKENS),
        ("http://ollama:80/v1", "qwen3:8b", {}, known.SILENTLY_CUT_TOKENS),
        # A name that a server of one's own gives to whatever it runs.
        ("http://127.0.0.1:8080/v1", "gpt-4o", {}, known.UNKNOWN_TOKENS),
    ],
)
def test_a_window_is_assumed_with_caution(url: str, model: str, listed: dict[str, Any], tokens: int) -> None:
    assert known.window_tokens(url, model, listed) == tokens


@pytest.mark.parametrize(
    ("model", "sees"),
    [
        ("gpt-6-luna", True),
        ("qwen2.5-vl:7b", True),
        ("llama3.2-vision", True),
        ("gemma3:12b", True),
        ("claude-sonnet-4-5", True),
        ("our-alias", True),
        ("qwen3:8b", False),
        ("Qwen/Qwen2.5-Coder-32B-Instruct", False),
        ("llama3.1:8b", False),
        ("deepseek-chat", False),
        ("gpt-oss:20b", False),
    ],
)
def test_names_tell_who_sees_pictures(model: str, sees: bool) -> None:
    assert known.sees_images(model) is sees


@pytest.mark.parametrize(
    ("url", "near"),
    [
        (OLLAMA, True),
        (VLLM, True),
        ("http://gpu-box:8000/v1", True),
        ("http://models.local/v1", True),
        (OPENAI, False),
        ("http://8.8.8.8/v1", False),
    ],
)
def test_endpoints_that_cost_nothing_are_near(url: str, near: bool) -> None:
    assert known.is_near(url) is near


def test_no_secret_of_an_address_is_kept() -> None:
    kept = memory.key("https://user:hunter2@models.example:8443/v1/?key=hunter3", "small")

    assert kept == "https://models.example:8443/v1 small"
