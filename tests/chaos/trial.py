"""One question, from being asked to being answered, whatever happens to the workers; and what must be true then."""

import asyncio
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from bot.engine import taking
from bot.engine.bell import LocalBell
from bot.engine.postgres_bell import CHANNEL
from bot.messages import Author, Message, ThreadId
from bot.store.store import Store
from bot.store.tables import rounds, steps, threads, turns, usage
from bot.transcript import Prompt, Reply, ToolResult
from tests.chaos.platform import Loopback
from tests.chaos.story import ANSWER, CELLS, CHARTS, SEEN, Narrator
from tests.chaos.worker import Plan, begin
from tests.fakes.openai_server import OpenAIServer
from tests.stores import prepare

TURN_SECONDS = 120
ASKER = Author("U1", "Ada")


@dataclass
class Scene:
    """What all trials of a test share."""

    narrator: Narrator
    model: OpenAIServer
    platforms: dict[str, Loopback]
    folder: Path


@dataclass
class Trial:
    scene: Scene
    platform: Loopback
    store: Store
    plan: Plan
    name: str
    workers: list[BaseProcess] = field(default_factory=list[BaseProcess])
    plans: list[Plan] = field(default_factory=list[Plan])
    """Of these."""
    kills: int = 0

    @classmethod
    @asynccontextmanager
    async def staged(cls, scene: Scene, kind: str, address: str, **facts: Any) -> AsyncIterator["Trial"]:
        name = facts.pop("name", None) or uuid.uuid4().hex[:10]
        platform = scene.platforms[kind]
        plan = Plan(
            data_dir=scene.folder / name,
            deployment=f"chaos-{name}",
            model_url=scene.model.url,
            platform_url=platform.url,
            platform_kind=platform.kind,
            database_url=address,
            **facts,
        )
        if address and not plan.files_url:
            # Several machines have their files in one place.
            files = scene.folder / f"{name}-files"
            files.mkdir()
            plan = replace(plan, files_url=f"file://{files}")
        async with Store.opened(prepare(plan.data_dir), address, plan.files_url) as store:
            trial = cls(scene, platform, store, plan, name)
            try:
                yield trial
            finally:
                await asyncio.to_thread(trial.clear_away)

    @property
    def thread(self) -> ThreadId:
        return ThreadId(f"loop:T1/C1/{self.name}")

    def begin(self, plan: Plan | None = None) -> BaseProcess:
        self.plans.append(plan or self.plan)
        self.workers.append(begin(self.plans[-1]))
        return self.workers[-1]

    def on_another_machine(self) -> Plan:
        """The same deployment, with a name and a directory of its own."""
        name = f"{self.name}-{len(self.workers)}"
        return replace(self.plan, data_dir=self.plan.data_dir.with_name(name), host=name)

    async def ask(self, what: str) -> str:
        """The turn's id."""
        text = f"Please {what} (trial {self.name} )"
        turn = taking.question(self.thread, Message(f"{self.name}-{what}", ASKER, text, datetime.now(UTC)))
        await self.store.turns.add(turn)
        await self.ring()
        return turn.id

    async def ring(self) -> None:
        if self.plan.database_url:
            await self.store.database.write(lambda connection: connection.execute(text(f"NOTIFY {CHANNEL}")))
        else:
            await LocalBell(self.plan.data_dir / "bell").ring()

    async def ended(self, turn: str, seconds: float = TURN_SECONDS) -> str:
        """How, once it has."""
        async with asyncio.timeout(seconds):
            while (outcome := await self.outcome(turn)) is None:  # noqa: ASYNC110  # another process ends it
                await asyncio.sleep(0.05)
        return outcome

    async def has_died(self, turn: str, process: BaseProcess, seconds: float = TURN_SECONDS) -> bool:
        """Waits for it; False where the turn ended before, and the process lives on."""
        async with asyncio.timeout(seconds):
            while process.is_alive():
                if await self.outcome(turn):
                    # It may die just behind that.
                    await asyncio.sleep(0.3)
                    if process.is_alive():
                        return False
                await asyncio.sleep(0.03)
        self.kills += 1
        return True

    async def has_frozen(self, turn: str, at: int, seconds: float = TURN_SECONDS) -> bool:
        async with asyncio.timeout(seconds):
            while len(self.crossed()) < at:
                if await self.outcome(turn):
                    return False
                await asyncio.sleep(0.03)
        self.kills += 1
        return True

    def crossed(self) -> list[str]:
        """The boundaries that the first worker has come to, by name."""
        if not self.plan.boundaries.exists():
            return []
        return [json.loads(line)[2] for line in self.plan.boundaries.read_text().splitlines()]

    def when_asked(self, results: int, happens: Callable[[], None]) -> None:
        """While the model is asked for what comes behind so many results."""
        self.scene.narrator.when[self.name, results] = happens

    async def answer_of(self, turn: str) -> dict[str, Any]:
        """The first post of it that people can read, once it is there."""
        async with asyncio.timeout(TURN_SECONDS):
            while True:
                for post in self.platform.seen(self.thread):
                    if post["key"].startswith(f"{turn}:"):
                        return dict(post)
                self.platform.news.clear()
                await self.platform.news.wait()

    async def outcomes_of_cells(self, turn: str) -> list[str]:
        found = await self.store.steps.of(turn)
        cells = sorted(name for name in found if name.startswith("cell:"))
        return [found[name]["outcome"] for name in cells]

    async def look(self) -> str:
        """What the next question finds there: the text of its answer."""
        outcome = await self.ended(await self.ask("look"))
        assert outcome == "ok"
        return str(self.platform.seen(self.thread)[-1]["text"])

    async def check(self) -> None:
        """All of it once, in order, and nothing else."""
        seen = await self.look()
        *posts, _ = self.platform.seen(self.thread)
        assert [each.get("text") or each["file"] for each in posts] == [ANSWER, *CHARTS]
        assert SEEN in seen
        await self.check_store()
        asked = sum(count for (trial, _), count in self.scene.narrator.asked.items() if trial == self.name)
        assert asked <= len(CELLS) + 1 + self.kills
        await self.check_containers()

    async def check_containers(self) -> None:
        """There is one. What other machines have left goes when their workers come back."""
        if len(self.containers()) > 1:
            alive = {
                plan.host for plan, worker in zip(self.plans, self.workers, strict=True) if worker.is_alive()
            }
            for plan in {plan.host: plan for plan in self.plans if plan.host not in alive}.values():
                self.begin(replace(plan, at=None))
        for _ in range(100):
            found = await asyncio.to_thread(self.containers)
            if len(found) == 1:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{len(found)} containers")

    async def everything(self) -> list[Any]:
        """All that the store knows of the thread."""
        queries = (
            select(turns).where(turns.c.thread == self.thread),
            select(steps).where(steps.c.turn.startswith(self.name)),
            select(rounds).where(rounds.c.thread == self.thread),
            select(usage).where(usage.c.thread == self.thread),
            select(threads).where(threads.c.id == self.thread),
        )
        return [await self._rows(query) for query in queries]

    async def check_store(self) -> None:
        turn = f"{self.name}-work"
        assert await self.outcome(turn) == "ok"
        spent = await self._rows(select(usage).where(usage.c.turn == turn))
        replies = [f"reply:{number + 1}" for number in range(len(CELLS) + 1)]
        cells = [f"cell:{number + 1}" for number in range(len(CELLS))]
        assert sorted(each.step for each in spent) == sorted([*replies, *cells])
        assert {(each.input_tokens, each.output_tokens) for each in spent} == {(100, 10), (0, 0)}
        recorded = {
            row.name: row.result for row in await self._rows(select(steps).where(steps.c.turn == turn))
        }
        assert [recorded[cell]["outcome"] for cell in cells] == ["ok"] * len(cells)
        rounds = (await self.store.transcripts.load(self.thread)).rounds
        shape = [tuple(type(entry) for entry in entries) for entries in rounds]
        told = [(Prompt,), *[(Reply, ToolResult)] * len(CELLS), (Reply,)]
        assert shape == [*told, (Prompt,), (Reply, ToolResult), (Reply,)]
        assert rounds[len(CELLS) + 1][0].text == ANSWER

    def containers(self) -> list[str]:
        wanted = f"label=plotline.deployment={self.plan.deployment}"
        command = ["docker", "ps", "-aq", "--no-trunc", "-f", wanted]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def clear_away(self) -> None:
        for process in self.workers:
            process.kill()
            process.join()
            process.close()
        if found := self.containers():
            subprocess.run(["docker", "rm", "-f", *found], check=False, capture_output=True)

    async def outcome(self, turn: str) -> str | None:
        (row,) = await self._rows(select(turns.c.outcome, turns.c.state).where(turns.c.id == turn))
        return str(row.outcome) if row.state == "ended" else None

    async def _rows(self, query: Any) -> Any:
        return list(await self.store.database.read(lambda connection: connection.execute(query)))
