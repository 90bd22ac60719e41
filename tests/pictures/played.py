"""One question to the whole bot, with a script for the model and a fake platform: what the platform holds then."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.discord.waiting import until
from tests.program.serving import Serving, environment
from tests.program.towns import TOWNS, DiscordTown, SlackTown, Talk, Town
from tests.stores import prepare

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("script.md")
QUESTION = "Which was our best month, and how do the regions compare?"
LAST_WORDS = "rows of sales.csv were used"


@dataclass(frozen=True)
class Played:
    title: str
    """Of the thread."""
    messages: list[Json]
    """The question first, as the platform holds them."""
    names: Mapping[str, str]
    """Of people, by id."""
    files: Mapping[str, bytes]
    """By id."""


async def play(platform: str, folder: Path) -> Played:
    """`folder` is for the bot's data."""
    async with TOWNS[platform]() as town:
        prepare(folder / "data")
        serving = Serving(folder, environment(folder) | town.env | {"MODEL_SCRIPT": str(SCRIPT)})
        try:
            async with serving.here():
                await until(town.is_listening)
                talk = await town.ask(QUESTION, ("sales.csv", (ROOT / "examples/sales.csv").read_bytes()))
                await until(lambda: any(LAST_WORDS in each for each in town.read(talk)) and town.files(talk))
                await until(lambda: serving.logged("turn.ended"))
            return _found(town, talk)
        finally:
            serving.remove_boxes()


def _found(town: Town, talk: Talk) -> Played:
    if isinstance(town, SlackTown):
        workspace = town.slack.workspace
        return Played(
            f"Thread in #{town.slack.channel('C1').name}",
            town.slack.channel("C1").thread(talk.first["ts"]),
            {id_: user["profile"]["display_name"] for id_, user in workspace.users.items()},
            {id_: file.content for id_, file in workspace.files.items()},
        )
    assert isinstance(town, DiscordTown)
    world = town.discord.world
    thread = world.channels[talk.first["id"]]
    return Played(
        thread["name"],
        [talk.first, *(each for each in world.messages.values() if each["channel_id"] == thread["id"])],
        {id_: user["global_name"] for id_, user in world.users.items()},
        {id_: blob.content for id_, blob in world.blobs.items()},
    )
