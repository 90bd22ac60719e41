"""What whoever runs the bot switches while it works: pause and resume, block and unblock. Holds over restarts."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from bot.engine.bell import Bell
from bot.folders import team_of
from bot.policy import BLOCK, PAUSE, block_names
from bot.store.audit import Audit, Event
from bot.store.switches import Running, Switches
from bot.store.turns import Turns


@dataclass(frozen=True, slots=True)
class Switching:
    switches: Switches
    turns: Turns
    bell: Bell
    audit: Audit
    by: str
    """Who does it."""

    async def pause(self, *, now: bool = False, silently: bool = False) -> list[str]:
        """The threads in which something was stopped for it."""
        await self.switches.set(PAUSE, json.dumps({"silent": silently}), self.by)
        await self._note(PAUSE, value="silently" if silently else "yes")
        return await self._stop(lambda running: True, "paused") if now else []

    async def resume(self) -> bool:
        """Whether it had been paused."""
        was_paused = await self.switches.remove(PAUSE)
        if was_paused:
            await self._note(PAUSE, value="no")
        await self.bell.ring()
        return was_paused

    async def block(self, user: str) -> list[str]:
        """The threads in which something was stopped for it."""
        name = f"{BLOCK}{user}"
        await self.switches.set(name, "yes", self.by)
        await self._note(name, value="yes")
        return await self._stop(
            lambda running: name in block_names(team_of(running.thread), running.user), "blocked"
        )

    async def unblock(self, user: str) -> bool:
        """Whether they had been blocked by that name."""
        name = f"{BLOCK}{user}"
        was_blocked = await self.switches.remove(name)
        if was_blocked:
            await self._note(name, value="no")
        return was_blocked

    async def blocked(self) -> list[str]:
        return [name.removeprefix(BLOCK) for name in await self.switches.names(BLOCK)]

    async def _note(self, name: str, *, value: str) -> None:
        await self.audit.note(Event.CHANGED, user=self.by, name=name, value=value)

    async def _stop(self, which: Callable[[Running], bool], why: str) -> list[str]:
        """Only what runs: it ends with what was done. What waits hears of the policy when its time has come."""
        stopped = [running for running in await self.switches.running() if which(running)]
        for running in stopped:
            await self.turns.stop(key=running.key, why=why)
        await self.bell.ring()
        return sorted({str(running.thread) for running in stopped})
