"""One thread's session and several workers, on one machine or on many: whose it is, and what becomes of the others."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.engine import taking
from bot.errors import SandboxLost
from bot.execution import Outcome
from bot.messages import Author, Message
from bot.store.claiming import Bounds, Claimant, Claimed
from bot.store.store import Store
from sandbox.pool import DockerSandbox
from tests.sandbox.conftest import IMAGE, LIMITS, THREAD, Deployment, docker, run
from tests.store.postgres import Cluster

pytestmark = pytest.mark.docker

Machine = Callable[..., AbstractAsyncContextManager[tuple[Store, DockerSandbox]]]


@pytest.fixture
async def machine(
    deployment: Deployment, postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """Another one each time, of one deployment: with a name and a directory of its own."""
    address = await postgres.new_store()
    files = tmp_path / "files"
    files.mkdir()
    names = iter(range(100))

    @asynccontextmanager
    async def opened(warm: int = 0) -> AsyncIterator[tuple[Store, DockerSandbox]]:
        name = f"machine-{next(names)}"
        with monkeypatch.context() as patched:
            patched.setattr(socket, "gethostname", lambda: name)
            async with contextlib.AsyncExitStack() as stack:
                store = await stack.enter_async_context(
                    Store.opened(tmp_path / name, address, f"file://{files}")
                )
                sandbox = DockerSandbox(
                    image=IMAGE,
                    runtime=deployment.runtime,
                    data_dir=store.data_dir,
                    blobs=store.blobs,
                    sessions=store.sessions,
                    limits=LIMITS,
                    deployment=deployment.name,
                    warm=warm,
                )
                yield store, await stack.enter_async_context(sandbox)

    return opened


async def claim(store: Store, worker: str, *, leased: float = 60) -> Claimed:
    """The thread's turn, taken over if somebody has it whose lease has run out."""
    message = Message("m1", Author("U1", "Ada"), "Work", datetime.now(UTC))
    await store.turns.add(taking.question(THREAD, message))
    bounds = Bounds(worker=9, user=9, everywhere=9)
    claimed = await store.turns.claim(Claimant(worker, bounds, ("test:",), lease_seconds=leased))
    assert claimed
    return claimed


async def adopted(sandbox: DockerSandbox) -> None:
    """What a worker does first of all is done."""
    await sandbox._adopt()


async def test_a_thread_goes_from_worker_to_worker_and_back(machine: Machine) -> None:
    async with machine() as (_, one), machine() as (_, two):
        async with one.session(THREAD) as session:
            await run(session, "x = 1; open('a', 'w').write('1')")
        async with two.session(THREAD) as session:
            await run(session, "x += 1; open('b', 'w').write('2')")
        began = time.monotonic()
        async with one.session(THREAD) as session:
            done = await run(session, "print(x, open('a').read() + open('b').read())")
            files = set(session.record.files)

    assert done.text == "2 12\n"
    assert files == {"a", "b"}
    assert time.monotonic() - began < 5


async def test_whoever_begins_to_work_leaves_the_boxes_of_others_alone(
    machine: Machine, deployment: Deployment
) -> None:
    async with machine(warm=1) as (_, one):
        await one.until_warm()
        async with one.session(THREAD) as session:
            running = asyncio.create_task(run(session, "import time; time.sleep(2); x = 1; print('done')"))
            await asyncio.sleep(0.5)
            await one.until_warm()
            before = set(deployment.containers())
            async with machine() as (_, two):
                await adopted(two)
                await asyncio.sleep(0.5)
            done = await running
            again = await run(session, "print(x)")
        after = set(deployment.containers())

    assert (done.outcome, again.text) == (Outcome.OK, "1\n")
    assert before == after


async def test_a_box_for_what_others_have_taken_over_meanwhile_goes_away(
    machine: Machine, deployment: Deployment
) -> None:
    async with machine() as (store, one), machine() as (_, two):
        first = await claim(store, "w1", leased=-1)
        async with one.session(THREAD, hold=first.hold):
            second = await claim(store, "w2")
            async with two.session(THREAD, hold=second.hold) as session:
                await run(session, "x = 1")
                assert session.box
                taken = session.box.container
        async with asyncio.timeout(5):
            while deployment.containers() != [taken]:  # noqa: ASYNC110  # the engine does
                await asyncio.sleep(0.1)


async def test_a_worker_that_was_replaced_cannot_take_the_session_back(machine: Machine) -> None:
    async with machine() as (store, one), machine() as (_, two):
        first = await claim(store, "w1", leased=-1)
        async with one.session(THREAD, hold=first.hold) as session:
            await run(session, "x = 1")
        second = await claim(store, "w2")
        async with two.session(THREAD, hold=second.hold) as newer:
            await run(newer, "x += 1")
            with pytest.raises(SandboxLost):
                async with one.session(THREAD, hold=first.hold):
                    raise AssertionError("it is not lent")
            done = await run(newer, "x += 1; print(x)")

    assert done.text == "3\n"


async def test_a_worker_that_was_replaced_in_a_cell_leaves_the_new_owner_alone(
    machine: Machine,
) -> None:
    code = "import time; time.sleep(1.5); open('runs', 'a').write('x'); print('done')"
    async with machine() as (store, one), machine() as (_, two):
        first = await claim(store, "w1", leased=-1)
        async with one.session(THREAD, hold=first.hold) as session:
            old = asyncio.create_task(run(session, code, cell="c1"))
            await asyncio.sleep(0.7)
            second = await claim(store, "w2")
            async with two.session(THREAD, hold=second.hold) as newer:
                done = await run(newer, code, cell="c1")
                runs = await run(newer, "print(open('runs').read())")
                old.cancel()
                await asyncio.gather(old, return_exceptions=True)

    assert (done.outcome, done.text, runs.text) == (Outcome.OK, "done\n", "x\n")


async def test_nobody_without_a_turn_gets_a_session_in_which_somebody_works(machine: Machine) -> None:
    async with machine() as (store, one), machine() as (_, two):
        first = await claim(store, "w1")
        async with one.session(THREAD, hold=first.hold) as session:
            await run(session, "x = 1")
            with pytest.raises(SandboxLost):
                async with two.session(THREAD):
                    raise AssertionError("it is not lent")
            done = await run(session, "print(x)")

    assert done.text == "1\n"


async def test_a_session_that_others_use_is_not_put_away(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machine() as (_, one), machine() as (_, two):
        async with one.session(THREAD) as session:
            await run(session, "x = 1")
        async with two.session(THREAD) as session:
            await one._put_away(THREAD)
            done = await run(session, "print(x)")

    assert done.text == "1\n"


async def test_a_cell_that_was_begun_in_a_container_that_is_gone_is_lost_and_not_run_again(
    deployment: Deployment,
) -> None:
    async with deployment.session() as session:
        await run(session, "y = 1; open('kept', 'w').write('y')")
        assert session.box
        begun = asyncio.create_task(run(session, "import time; time.sleep(30)", cell="c2"))
        await asyncio.sleep(1)
        docker("kill", *deployment.containers())
        first = await begun
    async with deployment.session() as session:
        again = await run(session, "open('ran', 'w').write('x')", cell="c2")
        after = await run(session, "import os; print(sorted(os.listdir()))")

    assert (first.outcome, again.outcome) == (Outcome.LOST, Outcome.LOST)
    assert after.text == "['kept']\n"


async def test_a_cell_that_was_never_begun_runs_in_whatever_container_there_is(
    deployment: Deployment,
) -> None:
    async with deployment.session() as session:
        await run(session, "y = 1", cell="c1")
    docker("kill", *deployment.containers())
    async with deployment.session() as session:
        done = await run(session, "print(2)", cell="c2")

    assert (done.outcome, done.text) == (Outcome.OK, "2\n")


async def test_what_a_cell_has_left_is_written_down_with_its_name(deployment: Deployment) -> None:
    async with deployment.session() as session:
        await run(session, "open('kept', 'w').write('y')", cell="c1")
    docker("kill", *deployment.containers())
    async with deployment.session() as session:
        again = await run(session, "open('kept', 'a').write('y')", cell="c1")
        after = await run(session, "print(open('kept').read())", cell="c2")

    assert (again.outcome, after.text) == (Outcome.LOST, "y\n")


async def test_a_cell_is_written_down_while_it_runs(deployment: Deployment) -> None:
    async with deployment.session() as session:
        running = asyncio.create_task(run(session, "import time; time.sleep(3)", cell="c1"))
        while not (session.record.cell or running.done()):  # noqa: ASYNC110  # nobody sets an event
            await asyncio.sleep(0.01)
        begun = "" if running.done() else session.record.cell
        await running

    assert begun == "c1"


async def test_a_session_is_written_down_when_it_is_given_back(deployment: Deployment) -> None:
    async with deployment.session() as session:
        assert session.box
        container = session.box.container
    async with deployment.session() as again:
        assert again.box
        assert again.box.container == container
