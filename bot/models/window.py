"""How much a model reads of what it is sent: some servers cut a long request without a word.

A number stands at the beginning of ever longer prompts, and the model is asked for it at the end. Whatever cuts a
prompt cuts its beginning.
"""

import asyncio
import re
import secrets
from dataclasses import dataclass

from bot.errors import ContextTooLong
from bot.ports import Model, Request
from bot.transcript import Prompt, Reply

WINDOWS = (4_096, 8_192, 16_384, 32_768)
"""Tokens, tried in this order until one is too large."""
REST_TOKENS = 600
"""Of each window, for instructions, question and reply."""
REPLY_TOKENS = 1_000
SECONDS = 120
"""For one prompt: a model on a CPU may need longer for the largest, and then nobody would want to use that much."""
READ_SHARE = 0.8
"""An endpoint that counts fewer tokens than this share of what it was sent has cut the rest."""

FILLER = "the old man and his dog go down to the sea to look at the sun and the moon"
"""Words that are one token each for every model we know of."""


@dataclass(frozen=True, slots=True)
class Window:
    tokens: int
    """Of the longest prompt that was read to its beginning, with room for a reply; 0 if none was."""
    ending: str
    """Why no longer one was tried: `cut`, `refused`, `forgotten`, `slow` or `enough`."""


async def measure(model: Model, most_tokens: int) -> Window:
    """Try prompts up to `most_tokens` long, each at most once.

    Raises a `ModelError` that has nothing to do with length.
    """
    found = 0
    for tokens in (each for each in WINDOWS if each <= max(most_tokens, WINDOWS[0])):
        try:
            async with asyncio.timeout(SECONDS):
                read, reply = await _ask(model, tokens - REST_TOKENS)
        except ContextTooLong as error:
            return Window(max(found, int(error.facts.get("window_tokens", 0))), "refused")
        except TimeoutError:
            return Window(found, "slow")
        counted = reply.usage.input_tokens
        counted_all = counted >= (tokens - REST_TOKENS) * READ_SHARE
        if not read and not counted_all:
            return Window(max(found, counted), "cut")
        if not read and not reply.truncated:
            return Window(found, "forgotten")
        found = tokens
    return Window(found, "enough")


async def _ask(model: Model, tokens: int) -> tuple[bool, Reply]:
    """Whether the model knows what stood `tokens` before the end of the prompt, and what it said."""
    number = str(secrets.randbelow(900_000) + 100_000)
    text = (
        f"The number is {number}.\n\n{_filler(tokens)}\n\n"
        "Which number stands at the beginning of this message? Answer with the number alone."
    )
    request = Request("You answer in one word.", [Prompt(text)], max_output_tokens=REPLY_TOKENS)
    reply = await model.reply(request, lambda _: None)
    return number in re.sub(r"[\s.,']", "", reply.text), reply


def _filler(tokens: int) -> str:
    words = FILLER.split()
    return "\n".join(
        " ".join(words[: min(len(words), tokens - start)]) for start in range(0, tokens, len(words))
    )
