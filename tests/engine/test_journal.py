"""Steps of a turn: done once, recorded once, by whoever has the turn."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import taking
from bot.errors import Fenced, StoreUnavailable
from bot.journal import Journal, nobody_else
from bot.messages import ThreadId
from bot.store.steps import Also, Steps
from bot.store.store import Store
from bot.transcript import Prompt, Reply
from tests.store.test_turns import ask, claimed

THREAD = ThreadId("test:T1/C1/1")


async def journal(store: Store) -> Journal:
    """Of a turn that runs here, and that others may take over at once."""
    await ask(store, "q")
    return await taking.journal_of(await claimed(store, lease_seconds=-1), store, nobody_else)


class Counting:
    def __init__(self) -> None:
        self.done = 0

    async def __call__(self) -> int:
        self.done += 1
        return self.done


async def test_a_step_is_done_once(store: Store) -> None:
    here, effect = await journal(store), Counting()
    results = [await here.step("a", effect) for _ in range(3)]

    assert (results, effect.done) == ([1, 1, 1], 1)
    assert await store.steps.of("q") == {"a": 1}


async def test_who_tries_once_more_in_the_same_epoch_does_nothing_again(store: Store) -> None:
    await ask(store, "q")
    turn, effect = await claimed(store), Counting()

    for each in (turn, replace(turn, has_begun=True)):
        again = await taking.journal_of(each, store, nobody_else)
        await again.step("a", effect)

    assert (turn.epoch, effect.done) == (1, 1)


async def test_what_may_be_repeated_is_recorded_with_the_next_step(store: Store) -> None:
    here = await journal(store)
    await here.step("looked", Counting(), may_be_repeated=True)
    await here.add((Prompt("Plot it."),))
    assert await store.steps.of("q") == {}

    await here.step("done", Counting())

    assert await store.steps.of("q") == {"looked": 1, "done": 1}
    assert len((await store.transcripts.load(THREAD)).rounds) == 1


async def test_the_end_takes_what_is_left_with_it(store: Store) -> None:
    here = await journal(store)
    await here.add((Reply("Done."),))
    await here.step("posted", Counting(), may_be_repeated=True)

    assert await here.end("ok")
    assert await store.steps.of("q") == {"posted": 1}
    assert len((await store.transcripts.load(THREAD)).rounds) == 1


async def test_whoever_was_replaced_records_nothing_and_ends_nothing(store: Store) -> None:
    here = await journal(store)
    await claimed(store, "w2", lease_seconds=10)
    await here.step("looked", Counting(), may_be_repeated=True)

    with pytest.raises(Fenced):
        await here.step("done", Counting())
    assert not await here.end("ok")
    assert await store.steps.of("q") == {}


async def test_what_was_done_while_the_store_was_away_is_recorded_later_and_not_done_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, effect = await journal(store), Counting()
    waited: list[StoreUnavailable] = []

    async def away(self: Steps, *all_of: Also) -> None:
        raise StoreUnavailable("gone")

    async def wait(error: StoreUnavailable) -> None:
        waited.append(error)
        if len(waited) == 3:
            monkeypatch.undo()

    monkeypatch.setattr(Steps, "write", away)
    here.wait = wait
    result: Any = await here.step("reply:1", effect)

    assert (result, effect.done, len(waited)) == (1, 1, 3)
    assert await store.steps.of("q") == {"reply:1": 1}


async def test_nobody_waits_who_is_not_to(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    here = await journal(store)

    async def away(self: Steps, *all_of: Also) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(Steps, "write", away)

    with pytest.raises(StoreUnavailable):
        await here.step("reply:1", Counting())


async def test_what_was_put_down_goes_along_with_something_else_or_not_at_all(store: Store) -> None:
    here = await journal(store)
    await here.step("looked", Counting(), may_be_repeated=True)

    async def refused(unwritten: Also) -> None:
        async def work(connection: AsyncConnection) -> None:
            await unwritten(connection)
            raise Refused

        await store.database.write(work)

    with pytest.raises(Refused):
        await here.write_with(refused)
    assert await store.steps.of("q") == {}

    await here.write_with(store.database.write)
    assert await store.steps.of("q") == {"looked": 1}


class Refused(Exception):
    pass
