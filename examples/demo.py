"""`make demo`: the main job on real files, and whether each answer came out right.

Without a model endpoint, a script plays the model's part.
"""

import asyncio
import sys
from importlib import import_module
from pathlib import Path

from bot.cli.ending import Code, Ended
from bot.cli.settings import load
from bot.config import Settings

SCRIPT = Path(__file__).with_name("demo.md")


def main() -> int:
    for stream in (sys.stdout, sys.stderr):
        # Where a character cannot be shown, a question mark is better than an end.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # nobody has replaced them yet
    try:
        settings = with_a_model(load())
        print(who_answers(settings), flush=True)
        # Imported only now: what is said first does not wait for libraries.
        conversation = import_module("examples.conversation")
        return int(asyncio.run(conversation.hold(settings)))
    except Ended as ended:
        sys.stderr.write(f"demo: {ended}\n")
        return ended.code
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("demo: Stopped.\n")
        return Code.FAILED


def with_a_model(settings: Settings) -> Settings:
    if settings.has_endpoint or settings.model_script:
        return settings
    return settings.model_copy(update={"model_script": SCRIPT})


def who_answers(settings: Settings) -> str:
    if settings.model_script is None:
        return f"A real model answers, at {settings.endpoint_host}: it reads the questions and what is in the files."
    return (
        f"A script plays the model's part ({settings.model_script.name}), and nothing is sent anywhere: only its words "
        "are fixed.\nThe code really runs, in a locked-down container, and every number comes from there.\n"
        "To ask a real model, set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own."
    )


if __name__ == "__main__":
    sys.exit(main())
