"""`plotline forget`: delete what is held of a person, a thread or a team, and say what cannot be reached."""

import argparse
import sys
from collections.abc import Sequence

from bot import forgetting
from bot.cli import local, people, results
from bot.cli.ending import Code, Ended
from bot.cli.settings import ended
from bot.cli.store import open_store
from bot.cli.switching import open_bell
from bot.config import Settings
from bot.errors import BotError, SandboxError
from bot.forgetting import Forgotten, Wake
from bot.messages import ThreadId
from bot.store.store import Store
from sandbox.container import Engine, Kind

SURE = "This deletes all that is held of {what}, for good. Type yes to go on: "


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    what = arguments.user or arguments.thread or arguments.team
    if arguments.json and not arguments.yes:
        raise Ended(Code.USAGE, "--json asks nothing: say --yes with it.")
    if not (arguments.yes or _is_sure(what)):
        raise Ended(Code.FAILED, "Nothing was deleted.")
    try:
        async with open_store(settings) as store, open_bell(settings) as bell:
            done = _together(await _forget(arguments, store, local.operator(settings), bell.ring))
    except BotError as error:
        raise ended(error, settings) from error
    left = await _end(done, settings)
    unreached = _unreached(done, settings, left)
    if arguments.json:
        counts = {
            name: getattr(done, name) for name in ("turns", "threads", "files", "kept_files", "redacted")
        }
        results.write({"status": "ok", **counts, "not_reached": unreached})
        return Code.OK
    sys.stdout.write(f"{_told(done)}\n")
    sys.stdout.write("Not reached:\n" + "".join(f"  - {each}\n" for each in unreached))
    return Code.OK


def _is_sure(what: str) -> bool:
    try:
        return input(SURE.format(what=what)).strip().lower() == "yes"
    except EOFError:
        return False


async def _forget(arguments: argparse.Namespace, store: Store, by: str, wake: Wake) -> Sequence[Forgotten]:
    if arguments.user:
        return [
            await forgetting.forget_user(store, team, user, by, wake)
            for team, user in await people.found(store, arguments.user)
        ]
    if arguments.thread:
        thread = ThreadId(
            arguments.thread if ":" in arguments.thread else f"{local.PLATFORM}{arguments.thread}"
        )
        return [await forgetting.forget_thread(store, thread, by, wake)]
    return [await forgetting.forget_team(store, arguments.team, by, wake)]


def _together(several: Sequence[Forgotten]) -> Forgotten:
    done = Forgotten()
    for each in several:
        done = forgetting.together(done, each)
    return done


async def _end(done: Forgotten, settings: Settings) -> int:
    """How many containers of those sessions are still there: they are on another engine, or none answers."""
    engine = Engine(
        Kind(settings.sandbox_image, settings.sandbox_runtime, settings.limits, settings.deployment)
    )
    left = 0
    try:
        for container in done.containers.values():
            try:
                await engine.remove(container)
            except SandboxError:
                left += 1
    finally:
        await engine.close()
    return left


def _told(done: Forgotten) -> str:
    kept = f"; {done.kept_files} files stay, since others in the team need them" if done.kept_files else ""
    words = f", and words in {done.redacted} places of other people's turns" if done.redacted else ""
    return f"Deleted: {done.turns} turns, {done.threads} whole threads, {done.files} files{words}{kept}."


def _unreached(done: Forgotten, settings: Settings, left: int) -> list[str]:
    where = f" ({', '.join(sorted(done.places))})" if done.places else ""
    found = [
        f"What the chat platform holds: messages, answers and files that were posted there{where}.",
        f"What the model endpoint {settings.endpoint_host} may have kept of the requests.",
        "Backups that were made before, and logs: these hold ids, sizes and names of errors.",
        "What other people's questions and answers say about it in their own words.",
        "Counts of what was used, without a name; and blocks and today's limits, so that nobody gets round them.",
    ]
    if left:
        found.append(
            f"{left} containers: no engine answers here. They end by themselves, within a minute where a bot runs."
        )
    return found
