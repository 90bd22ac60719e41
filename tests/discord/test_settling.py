"""What is done at each connection, where some of it breaks off."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.discord.seam import Options
from bot.errors import StoreUnavailable
from bot.messages import ThreadId
from bot.reception import MemoryJournal
from tests.discord.conftest import shown_text
from tests.discord.rig import Recorder, Rig, connected
from tests.discord.waiting import until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.rules import Payload

EVERY = Options(reads_all_messages=True)


@dataclass
class Forgetful(Recorder):
    """A core that says now and then that its store does not answer."""

    in_vain: dict[str, int] = field(default_factory=dict)
    """How often it still does, by guild."""

    async def serves(self, platform: str, guild: str) -> bool:
        self._look(guild)
        return await super().serves(platform, guild)

    async def recent(self, platform: str, guild: str) -> Sequence[tuple[ThreadId, str]]:
        self._look(guild)
        return await super().recent(platform, guild)

    def _look(self, guild: str) -> None:
        if self.in_vain.get(guild):
            self.in_vain[guild] -= 1
            raise StoreUnavailable("no connection")


async def missed_in(fake: FakeDiscord, *channels: Payload) -> tuple[Forgetful, MemoryJournal]:
    """Something was heard everywhere, and something more was said while no bot was there."""
    async with connected(fake, EVERY, core=Forgetful()) as rig:
        await until(lambda: fake.rest.commands)
        for channel in channels:
            await fake.people.mention(fake.anna, channel, "before")
        await until(lambda: len(rig.core.questions) == len(channels))
        knows(rig)
    await fake.clock.advance(120)
    for channel in channels:
        await fake.people.mention(fake.anna, channel, "meanwhile")
    core = rig.core
    assert isinstance(core, Forgetful)
    return core, rig.journal


def knows(rig: Rig) -> None:
    rig.core.newest = [(each.thread.id, each.message.id) for each in reversed(rig.core.questions)]


def guilds(core: Recorder, text: str = "meanwhile") -> set[str]:
    """In which that was heard."""
    return {str(each.address.guild) for each in core.questions if each.message.text == text}


async def test_commands_that_discord_does_not_take_cost_nothing_else_and_are_told_again(
    fake: FakeDiscord,
) -> None:
    fake.rest.fail("PUT .*/commands", 503)
    async with connected(fake, EVERY, journal=MemoryJournal()):
        (introduction,) = await until(lambda: fake.in_channel(fake.general))
        assert "models.example receives" in shown_text(introduction)
        assert not fake.rest.commands

        await fake.clock.wake(5)

        await until(lambda: fake.rest.commands)


async def test_what_was_missed_is_looked_up_where_commands_are_refused(fake: FakeDiscord) -> None:
    core, _ = await missed_in(fake, fake.general)
    fake.rest.fail("PUT .*/commands", 400, times=9)

    async with connected(fake, EVERY, core=core):
        await until(lambda: guilds(core))


async def test_a_guild_whose_catching_up_breaks_off_does_not_cost_the_others_theirs(
    fake: FakeDiscord,
) -> None:
    other = fake.world.guild("Other")
    fake.world.join(other, fake.bot)
    core, journal = await missed_in(fake, fake.general, fake.world.channel(other, "lobby"))
    core.in_vain = {fake.guild["id"]: 2, other["id"]: 0}

    async with connected(fake, EVERY, core=core, journal=journal):
        await until(lambda: guilds(core) == {other["id"]})
        await fake.clock.wake(5)
        await fake.clock.wake(30)
        await until(lambda: guilds(core) == {other["id"], fake.guild["id"]})


async def test_what_is_heard_before_it_is_looked_up_again_hides_nothing(fake: FakeDiscord) -> None:
    core, journal = await missed_in(fake, fake.general)
    core.in_vain = {fake.guild["id"]: 3}

    async with connected(fake, EVERY, core=core, journal=journal) as rig:
        await fake.clock.wake(5)
        await fake.clock.wake(30)
        await fake.people.mention(fake.anna, fake.general, "now")
        await until(lambda: guilds(core, "now"))
        knows(rig)
        await fake.clock.wake(120)

        await until(lambda: guilds(core))


async def test_who_invites_it_while_the_store_does_not_answer_is_greeted_later(fake: FakeDiscord) -> None:
    core = Forgetful()
    async with connected(fake, EVERY, core=core):
        await until(lambda: fake.rest.commands)
        other = fake.world.guild("Other")
        channel = fake.world.channel(other, "lobby")
        core.in_vain = {other["id"]: 1}
        await fake.people.add_bot_to(other)
        await fake.clock.wake(5)

        await until(lambda: fake.in_channel(channel))
