"""What the name of a model, the address of its endpoint and the endpoint's list tell, before anybody has tried."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import genai_prices

from bot.models.memory import Format

OPENAI_URL = "https://api.openai.com/v1"

MOST_TOKENS = 128_000
"""A longer window is not used unless somebody sets it: each request costs what it holds."""
UNKNOWN_TOKENS = 16_384
SILENTLY_CUT_TOKENS = 4_096
"""What Ollama gives a model on most machines unless told otherwise, whatever the model could read; it cuts the rest
away without a word. LM Studio begins with as much. https://docs.ollama.com/context-length."""
CUTTING_PORTS = {11434, 1234}

_OPENAI_HOSTS = re.compile(r"(^|\.)(openai\.com|openai\.azure\.com|services\.ai\.azure\.com)$")
_OPENAI_MODELS = re.compile(r"(^|/)(gpt-(?!oss)|chatgpt|codex|o\d)")
_FREE_FORM_TOOLS = re.compile(r"(^|/)gpt-([5-9]|\d\d)")

_TEXT_ONLY = re.compile(
    r"codestral|coder|codellama|command-r|deepseek|devstral|falcon|gpt-oss|gpt-3|granite|gemma-?2|glm-4\.\d(?!v)|"
    r"kimi-k2|llama-?[23]|minimax|mistral|mixtral|nemotron|olmo|phi-?[234]|qwen|qwq|smollm|starcoder|wizard|yi-"
)
_SEEING = re.compile(
    r"vl|vision|multimodal|omni|llava|moondream|minicpm-v|mistral-small-?3|mistral-medium-?3|mistral-large-?3|"
    r"qwen-?3\.5|ministral|4v"
)

_NOT_FOR_CHAT = re.compile(
    r"embed|bge|e5-|rerank|whisper|tts|audio|realtime|transcri|speech|voice|image|dall-e|sora|video|moderation|guard|"
    r"search|deep-research|computer-use|instruct-0914|davinci|babbage|ada-|cyber|rosalind|daybreak|codex"
)
_BALANCED = ("sol", "", "terra")
"""Names of sizes at OpenAI between the largest and the smallest, best first."""


def is_openai(base_url: str) -> bool:
    return bool(_OPENAI_HOSTS.search(urlsplit(base_url).hostname or ""))


def is_near(base_url: str) -> bool:
    """On this machine or in this network, where requests cost time but no money."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))


def formats(base_url: str, model: str) -> tuple[Format, Format]:
    """Which to try first. Servers for models of other makers treat Responses as an afterthought."""
    if is_openai(base_url) or _OPENAI_MODELS.search(model):
        return "responses", "chat"
    return "chat", "responses"


def has_free_form_tools(model: str) -> bool:
    return bool(_FREE_FORM_TOOLS.search(model))


def sees_images(model: str) -> bool:
    """A model that we don't know is tried: most endpoints complain if it can't."""
    name = model.lower()
    return bool(_SEEING.search(name)) or not _TEXT_ONLY.search(name)


def window_tokens(base_url: str, model: str, listed: Mapping[str, Any]) -> int:
    """`listed` is what the endpoint's list says of the model, {} if nothing."""
    for field in ("max_model_len", "context_length", "context_window", "max_context_length"):
        if isinstance(listed.get(field), int):
            return min(MOST_TOKENS, int(listed[field]))
    if _cuts_silently(base_url, listed):
        return SILENTLY_CUT_TOKENS
    published = None if is_near(base_url) else _published_tokens(model)
    return min(MOST_TOKENS, published or UNKNOWN_TOKENS)


def choose(offered: Sequence[str]) -> str | None:
    """A model for somebody who named none: at OpenAI a newest one of middle size, elsewhere the first in the list,
    which is the newest or the one that is loaded."""
    usable = [name for name in offered if not _NOT_FOR_CHAT.search(name.lower())]
    balanced = [
        (_version(name), -_BALANCED.index(_size(name)), name) for name in usable if _size(name) in _BALANCED
    ]
    newest = max(balanced, default=None)
    return newest[2] if newest else next(iter(usable), None)


def _version(name: str) -> tuple[int, ...]:
    found = re.match(r"gpt-(\d+)(?:\.(\d+))?", name)
    return tuple(int(number or 0) for number in found.groups()) if found else ()


def _size(name: str) -> str | None:
    found = re.fullmatch(r"gpt-[\d.]+(?:-([a-z]+))?", name)
    return (found[1] or "") if found else None


def _cuts_silently(base_url: str, listed: Mapping[str, Any]) -> bool:
    parts = urlsplit(base_url)
    # Ollama says that its models are owned by its library.
    return (
        parts.port in CUTTING_PORTS
        or "ollama" in (parts.hostname or "")
        or listed.get("owned_by") == "library"
    )


def _published_tokens(model: str) -> int | None:
    try:
        return genai_prices.calc_price(genai_prices.Usage(), model_ref=model).model.context_window
    except LookupError:
        return None
