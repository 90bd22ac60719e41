"""A turn whose workers are killed or frozen, at every boundary between its effects and at any moment.

What is promised: every cell runs once, every reply is paid for once, every post is there once and in its place, and
the turn ends well. A reply for which nobody was there any more is asked for again.

A worker that is frozen and wakes up once another has its turn writes nothing more. One that was frozen within a call to
a platform finishes this call. Where the platform knows the key of a post again, nothing comes of that; where earlier
posts can only be looked up, the post is there twice for a moment, and then deleted.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterable

import pytest

from tests.chaos.trial import Scene, Trial
from tests.store.postgres import Cluster

pytestmark = pytest.mark.docker
LONG = pytest.mark.timeout(1200)
"""Two minutes each on two idle cores."""

SEED = 20_261_125
AT_ONCE = 3
KINDS = ("key", "lookup")
LEASES = {"lease_seconds": 2.0, "renew_seconds": 0.4}
"""Shorter than in earnest: most of what these trials do is to wait for their end."""
FROZEN_SECONDS = 1.5
"""Longer than a worker needs to notice that it was replaced."""
MOMENTS = 1.2
"""Seconds, about as long as a turn takes."""
KILLS = 25
"""At moments, on each store."""

Address = Callable[[], Awaitable[str]]


@pytest.fixture(params=["sqlite", "postgres"])
async def address(request: pytest.FixtureRequest) -> Address:
    """Of an empty store each time."""
    if request.param == "sqlite":
        return _nowhere
    cluster: Cluster = request.getfixturevalue("postgres")
    await cluster.new_store()
    return cluster.new_store


async def _nowhere() -> str:
    return ""


async def boundaries(scene: Scene, address: Address) -> int:
    """How many a turn has that nobody disturbs."""
    async with Trial.staged(scene, "key", await address(), **LEASES) as trial:
        turn = await trial.ask("work")
        trial.begin()
        assert await trial.ended(turn) == "ok"
        await trial.check()
        return len(trial.crossed())


async def killed_at(scene: Scene, kind: str, address: str, at: int) -> int:
    """The same worker begins again; where there are several, another one takes over."""
    async with Trial.staged(scene, kind, address, **LEASES) as trial, told(trial, at):
        turn = await trial.ask("work")
        if await trial.has_died(turn, trial.begin(trial.plan.dying(at))):
            trial.begin(trial.on_another_machine() if address else trial.plan)
        assert await trial.ended(turn) == "ok"
        await trial.check()
        return trial.kills


async def killed_at_moments(scene: Scene, kind: str, address: str, seed: int) -> int:
    """Up to three times, which is as often as a turn is tried again."""
    chance = random.Random(seed)
    async with Trial.staged(scene, kind, address, **LEASES) as trial, told(trial, seed):
        turn = await trial.ask("work")
        for _ in range(3):
            process = trial.begin(trial.on_another_machine() if address else trial.plan)
            await asyncio.sleep(chance.uniform(0.02, MOMENTS))
            if await trial.outcome(turn):
                break
            process.kill()
            trial.kills += 1
        else:
            trial.begin()
        assert await trial.ended(turn) == "ok"
        await trial.check()
        return trial.kills


async def frozen_at(scene: Scene, kind: str, address: str, at: int) -> int:
    """Another worker takes over and brings the turn to its end; then the first one wakes up."""
    async with Trial.staged(scene, kind, address, **LEASES) as trial, told(trial, at):
        turn = await trial.ask("work")
        zombie = trial.begin(trial.plan.dying(at, signal.SIGSTOP))
        if not await trial.has_frozen(turn, at):
            return 0
        other = trial.begin(trial.on_another_machine())
        assert await trial.ended(turn) == "ok"
        before, seen = await trial.everything(), list(trial.platform.posts[trial.thread])

        assert zombie.pid
        os.kill(zombie.pid, signal.SIGCONT)
        await asyncio.sleep(FROZEN_SECONDS)
        assert await trial.everything() == before
        late = trial.platform.posts[trial.thread][len(seen) :]
        in_a_call = trial.crossed()[at - 1] == "before LoopbackThread.send"
        assert len(late) <= (kind == "lookup" and in_a_call)
        assert all(each["deleted"] for each in late)
        assert zombie.is_alive()
        assert other.is_alive()
        await trial.check()
        return trial.kills


class told:  # noqa: N801  # reads as a word
    """Says which trial it was that failed, and what its workers have written down."""

    def __init__(self, trial: Trial, number: int) -> None:
        self.trial, self.number = trial, number

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error:
            at = self.trial.crossed()[self.number - 1 : self.number]
            logs = [plan.data_dir / "log" for plan in dict.fromkeys(self.trial.plans)]
            text = "\n".join(path.read_text()[-3000:] for path in logs if path.exists())
            error.add_note(f"{self.number} {at} {self.trial.platform.kind}\n{text}")


async def all_of(trials: Iterable[Callable[[], Awaitable[int]]]) -> int:
    """How often somebody was killed or frozen. A few run at a time; one that fails does not keep the others."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(trial: Callable[[], Awaitable[int]]) -> int:
        async with gate:
            return await trial()

    results = await asyncio.gather(*(one(trial) for trial in trials), return_exceptions=True)
    failed = [result for result in results if isinstance(result, Exception)]
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(results)} trials failed", failed)
    return sum(result for result in results if isinstance(result, int))


async def test_a_sample_of_kills(scene: Scene, address: Address) -> None:
    chance = random.Random(SEED)
    count = await boundaries(scene, address)

    async def trial(kind: str, at: int) -> int:
        return await killed_at(scene, kind, await address(), at)

    places = chance.sample(range(1, count + 1), 3)
    kills = await all_of(
        [lambda at=at: trial(KINDS[at % 2], at) for at in places]  # type: ignore[misc]
    )

    assert kills == len(places)


async def test_a_sample_of_a_worker_that_wakes_up_too_late(scene: Scene, postgres: Cluster) -> None:
    chance = random.Random(SEED)
    place = chance.randrange(8, 60)

    assert await frozen_at(scene, "lookup", await postgres.new_store(), place) == 1


@LONG
@pytest.mark.chaos
async def test_killed_at_every_boundary(scene: Scene, address: Address) -> None:
    count = await boundaries(scene, address)

    async def trial(at: int) -> int:
        return await killed_at(scene, KINDS[at % 2], await address(), at)

    kills = await all_of([lambda at=at: trial(at) for at in range(1, count + 1)])  # type: ignore[misc]

    print(f"{kills} kills at {count} boundaries")
    assert kills >= count - 2


@LONG
@pytest.mark.chaos
async def test_killed_at_any_moment(scene: Scene, address: Address) -> None:
    chance = random.Random(SEED)

    async def trial(seed: int) -> int:
        return await killed_at_moments(scene, KINDS[seed % 2], await address(), seed)

    kills = 0
    # How many come before the end depends on how fast this machine is.
    while kills < KILLS:
        seeds = chance.sample(range(10**6), 6)
        kills += await all_of([lambda seed=seed: trial(seed) for seed in seeds])  # type: ignore[misc]

    print(f"{kills} kills")


@LONG
@pytest.mark.chaos
async def test_frozen_at_boundaries(scene: Scene, postgres: Cluster) -> None:
    async def trial(at: int) -> int:
        return await frozen_at(scene, KINDS[at // 2 % 2], await postgres.new_store(), at)

    await postgres.new_store()
    frozen = await all_of([lambda at=at: trial(at) for at in range(1, 80, 2)])  # type: ignore[misc]

    print(f"{frozen} frozen")
    assert frozen >= 25
