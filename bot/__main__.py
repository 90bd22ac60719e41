"""The command line: reads what is wanted, joins the parts for it, and ends with an exit code."""

import asyncio
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from bot.cli import arguments, results
from bot.cli.ending import Code, Ended


def main(given: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if given is None else given
    for stream in (sys.stdout, sys.stderr):
        # Where a character cannot be shown, a question mark is better than an end.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # nobody has replaced them yet
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read stdout has left, as `head` does. Python would complain once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Code.FAILED
    return code


def _run(given: Sequence[str]) -> int:
    try:
        parsed = arguments.parse(given)
        # Imported only now: help does not wait for libraries.
        settings = import_module("bot.cli.settings").load()
        command = import_module(f"bot.cli.{parsed.command}")
        return int(asyncio.run(command.run(parsed, settings)))
    except Ended as ended:
        return _end(given, ended)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _end(given, Ended(Code.FAILED, "Stopped."))


def _end(given: Sequence[str], ended: Ended) -> int:
    if "--json" in given:
        results.write(results.nothing_done(given[0], str(ended)))
    else:
        sys.stderr.write(f"plotline: {ended}\n")
    return ended.code


if __name__ == "__main__":
    sys.exit(main())
