"""A few questions of our own to a model: does it call a tool, does it see a picture?"""

import asyncio
import re
import secrets

from bot.errors import InputRefused, ModelUnavailable
from bot.execution import Picture
from bot.models.colours import COLOURS, png
from bot.ports import Model, Request
from bot.tools import RUN_PYTHON
from bot.transcript import Entry, Prompt, Reply, ToolResult

INSTRUCTIONS = f"You answer questions by running Python with {RUN_PYTHON.name}."
RUN_THIS = Prompt(
    f"Run this with {RUN_PYTHON.name}: print(open('number.txt').read())\nThen tell me the number that it printed."
)
WHICH_COLOURS = (
    "This picture has two halves. Which colour is the upper one, and which the lower one? Answer with two words, "
    f"out of {', '.join(COLOURS)}."
)
REPLY_TOKENS = 2_000
"""Room for thoughts before a short answer."""
MOST_CALLS = 3
SECONDS = 300
"""For one reply."""


async def calls_tools(model: Model) -> bool:
    """Whether it calls the tool, and reads the result. No code is run for it.

    Raises a `ModelError`.
    """
    number = str(secrets.randbelow(900_000) + 100_000)
    entries: list[Entry] = [RUN_THIS]
    for _ in range(MOST_CALLS):
        request = Request(INSTRUCTIONS, entries, (RUN_PYTHON,), max_output_tokens=REPLY_TOKENS)
        reply = await _ask(model, request)
        if not reply.tool_calls:
            return number in re.sub(r"[\s.,']", "", reply.text)
        results = [ToolResult(call.id, f"[ok, 0.0 s]\n{number}") for call in reply.tool_calls]
        entries = [*entries, reply, *results]
    return False


async def sees_images(model: Model) -> bool:
    """Whether it tells the colours of a picture.

    Raises a `ModelError` that has nothing to do with the picture.
    """
    upper, lower = secrets.SystemRandom().sample(sorted(COLOURS), 2)
    prompt = Prompt(WHICH_COLOURS, (Picture("halves.png", "image/png", png(upper, lower)),))
    request = Request("You describe pictures.", [prompt], max_output_tokens=REPLY_TOKENS)
    try:
        reply = await _ask(model, request)
    except InputRefused:
        return False
    said = re.findall("|".join(COLOURS), reply.text.lower())
    return list(dict.fromkeys(said)) == [upper, lower]


async def _ask(model: Model, request: Request) -> Reply:
    try:
        async with asyncio.timeout(SECONDS):
            return await model.reply(request, lambda _: None)
    except TimeoutError as error:
        raise ModelUnavailable(f"no reply within {SECONDS} seconds") from error
