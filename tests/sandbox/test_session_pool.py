"""Many sessions and one machine: places, boxes kept ready, sessions put away, and bots that die."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.execution import Outcome
from bot.messages import ThreadId
from tests.sandbox.conftest import THREAD, Deployment, docker, run
from tests.stores import prepare

pytestmark = pytest.mark.docker

ONE, TWO, THREE = (ThreadId(f"test:T1/C1/{number}") for number in (1, 2, 3))


def limited(deployment: Deployment, **limits: float) -> Deployment:
    deployment.limits = deployment.limits.model_copy(update=limits)
    return deployment


async def until(what: str, is_so: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(is_so):  # type: ignore[arg-type]
        assert time.monotonic() < end, what
        await asyncio.sleep(0.1)


@contextlib.contextmanager
def no_blobs(deployment: Deployment) -> Iterator[None]:
    """For a while nothing can be written where files are kept."""
    kept, aside = deployment.data_dir / "blobs", deployment.data_dir / "aside"
    kept.mkdir(exist_ok=True)
    kept.rename(aside)
    kept.write_text("")
    yield
    kept.unlink()
    aside.rename(kept)


async def test_a_box_that_was_kept_ready_is_handed_out_once_and_made_anew(deployment: Deployment) -> None:
    async with deployment.opened(warm=1) as sandbox:
        await sandbox.until_warm()
        (ready,) = deployment.containers()
        async with sandbox.session(ONE) as one:
            assert one.box
            assert one.box.container == ready
            await run(one, "x = 1")
        await sandbox.until_warm()
        async with sandbox.session(TWO) as two:
            assert two.box
            assert two.box.container != ready
            assert (await run(two, "print('x' in dir())")).text == "False\n"


async def test_boxes_that_nobody_used_end_with_the_bot(deployment: Deployment) -> None:
    async with deployment.opened(warm=2) as sandbox:
        await sandbox.until_warm()
        assert len(deployment.containers()) == 2

    assert deployment.containers() == []


async def test_a_box_that_was_kept_ready_and_died_holds_no_place(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.pool.PING_SECONDS", 0.2)
    monkeypatch.setattr("sandbox.warm.REFILL_AFTER_SECONDS", 0.1)
    async with limited(deployment, sessions=2, wait_seconds=5).opened(warm=2) as sandbox:
        await sandbox.until_warm()
        dead = deployment.containers()
        docker("rm", "-f", *dead)
        await until("others are made", lambda: len(set(deployment.containers()) - set(dead)) == 2)
        await sandbox.until_warm()
        docker("rm", "-f", deployment.containers()[0])
        async with sandbox.session(ONE) as one, sandbox.session(TWO) as two:
            said = [(await run(each, "print(1)")).text for each in (one, two)]

    assert said == ["1\n", "1\n"]


async def test_who_waits_gets_the_place_of_one_that_is_just_being_made_ready(deployment: Deployment) -> None:
    async with limited(deployment, sessions=1, wait_seconds=20).opened(warm=1) as sandbox:
        await until("one is being made", lambda: bool(deployment.containers()))
        async with sandbox.session(ONE) as one:
            done = await run(one, "print(1)")

    assert done.text == "1\n"


async def test_once_there_is_room_again_one_is_kept_ready_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.pool.PING_SECONDS", 0.2)
    monkeypatch.setattr("sandbox.warm.REFILL_AFTER_SECONDS", 0.1)
    async with limited(deployment, sessions=1).opened(warm=1) as sandbox:
        await sandbox.until_warm()
        (ready,) = deployment.containers()
        async with sandbox.session(ONE) as one:
            await run(one, "1")
        # There was no room for another one when it was looked for.
        await asyncio.sleep(0.5)
        await sandbox.end(ONE)
        await until("another one is ready", lambda: set(deployment.containers()) - {ready} != set())


async def test_files_of_a_cell_that_could_not_be_stored_are_stored_later(deployment: Deployment) -> None:
    async with deployment.opened() as sandbox, sandbox.session(ONE) as session:
        await run(session, "x = 1")
        with no_blobs(deployment), pytest.raises(OSError, match="blobs"):
            await run(session, "open('f', 'w').write('x')")
        before = set(session.record.files)
        await session.files()

        assert (before, set(session.record.files)) == (set(), {"f"})


async def test_a_session_that_cannot_be_put_away_keeps_nobody_from_looking_after_the_rest(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.pool.PING_SECONDS", 0.2)
    async with limited(deployment, session_seconds=0.3).opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(one, "x = 5")
        with no_blobs(deployment):
            await asyncio.sleep(1.5)
            left = deployment.containers()
        await until("its box has gone", lambda: not deployment.containers())
        async with sandbox.session(ONE) as again:
            done = await run(again, "x")

    assert (len(left), done.text) == (1, "5\n")


async def test_who_gives_up_while_a_session_is_taken_over_leaves_its_box_to_others(
    deployment: Deployment,
) -> None:
    later = "import threading\nthreading.Timer(0.5, lambda: open('late', 'w').write('x')).start()"
    async with deployment.opened() as first, deployment.opened() as second:
        async with first.session(THREAD) as session:
            await run(session, later)
        await asyncio.sleep(1)
        is_asked = asyncio.Event()

        async def room(_thread: ThreadId) -> int:
            is_asked.set()
            await asyncio.Event().wait()
            return 0

        second._room = room
        taking = asyncio.create_task(second.session(THREAD).__aenter__())
        async with asyncio.timeout(20):
            await is_asked.wait()
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        # What is open still would be complained of now.
        gc.collect()
        second._room = None
        async with second.session(THREAD) as session:
            done = await run(session, "print(open('late').read(), 'threading' in dir())")

    assert done.text == "x True\n"


async def test_the_longest_idle_gives_way_and_comes_back_with_files_and_variables(
    deployment: Deployment,
) -> None:
    async with limited(deployment, sessions=2).opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(
                one, "import math\ndef area(r): return math.pi * r * r\nr = 2; open('f', 'w').write('kept')"
            )
        async with sandbox.session(TWO) as two:
            await run(two, "1")
        async with sandbox.session(THREE) as three:
            await run(three, "1")
            await until("one box has gone", lambda: len(deployment.containers()) == 2)
        async with sandbox.session(ONE) as again:
            lost = again.lost_variables
            done = await run(again, "r = 3\nprint(round(area(r), 2), open('f').read(), math.e)")
            files = [file.name for file in await again.files()]

    assert lost is None
    assert done.text == "28.27 kept 2.718281828459045\n"
    assert files == ["f"]


async def test_variables_that_cannot_be_kept_are_named(deployment: Deployment) -> None:
    async with limited(deployment, sessions=1).opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(
                one, "import threading\nkept = [1]\nlock = threading.Lock()\nnumbers = (n for n in range(3))"
            )
        async with sandbox.session(TWO) as two:
            await run(two, "1")
        async with sandbox.session(ONE) as again:
            lost = again.lost_variables
            done = await run(again, "print(kept, 'lock' in dir())")

    assert lost == ("lock", "numbers")
    assert done.text == "[1] False\n"


async def test_who_finds_no_room_waits_and_hears_the_place_in_line(deployment: Deployment) -> None:
    heard: list[tuple[str, int]] = []
    async with limited(deployment, sessions=1).opened() as sandbox:

        async def newcomer(thread: ThreadId) -> None:
            async with sandbox.session(thread, lambda before: heard.append((thread[-1], before))) as session:
                await run(session, "1")

        async with sandbox.session(ONE) as one:
            await run(one, "1")
            second = asyncio.create_task(newcomer(TWO))
            await until("the second waits", lambda: ("2", 0) in heard)
            third = asyncio.create_task(newcomer(THREE))
            await until("the third waits behind it", lambda: ("3", 1) in heard)
            assert not second.done()
        await asyncio.wait_for(asyncio.gather(second, third), 30)

    assert ("3", 0) in heard


async def test_a_box_that_is_borrowed_hears_that_somebody_is_there(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.pool.PING_SECONDS", 0.5)
    async with limited(deployment, idle_seconds=2).session() as session:
        await run(session, "x = 1")
        await asyncio.sleep(5)
        done = await run(session, "x")

    assert (done.text, done.lost_variables) == ("1\n", None)


async def test_an_idle_session_is_put_away_after_a_while(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.pool.PING_SECONDS", 0.2)
    async with limited(deployment, session_seconds=0.5).opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(one, "x = 5")
        await until("its box has gone", lambda: not deployment.containers())
        async with sandbox.session(ONE) as again:
            done = await run(again, "x")

    assert done.text == "5\n"


async def test_pings_keep_a_box_alive(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.pool.PING_SECONDS", 0.3)
    async with limited(deployment, idle_seconds=1.5).opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(one, "x = 5")
        await asyncio.sleep(3)
        async with sandbox.session(ONE) as again:
            done = await run(again, "x")

    assert done.text == "5\n"


async def test_other_deployments_on_the_engine_are_left_alone(deployment: Deployment, tmp_path: Path) -> None:
    other = Deployment(tmp_path / "other", deployment.runtime)
    try:
        async with other.opened(warm=1) as theirs:
            await theirs.until_warm()
            async with limited(deployment, sessions=1).opened() as ours:
                for thread in (ONE, TWO):
                    async with ours.session(thread) as session:
                        await run(session, "1")
            assert len(other.containers()) == 1
    finally:
        if left := other.containers():
            docker("rm", "-f", *left)


BOT = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from bot.limits import Limits
    from bot.store.store import Store
    from sandbox.pool import DockerSandbox

    def die(_):
        os.kill(os.getpid(), signal.SIGKILL)

    async def main(data_dir, deployment, runtime, warm, code):
        limits = Limits(idle_seconds=120)
        async with Store.opened(Path(data_dir)) as store, DockerSandbox(
            image="plotline-sandbox:core", runtime=runtime, data_dir=store.data_dir, blobs=store.blobs,
            sessions=store.sessions, limits=limits, deployment=deployment, warm=int(warm),
        ) as sandbox:
            await sandbox.until_warm()
            async with sandbox.session("test:T1/C1/1") as session:
                await session.run("x = 41" if code else FIRST, cell_id="first", seconds=20, on_text=die)
                print("ready", flush=True)
                await session.run(code, cell_id="second", seconds=20)
                await asyncio.sleep(60)

    FIRST = "import time; print('here', flush=True); time.sleep(1.5); open('runs', 'a').write('x'); print('done')"
    asyncio.run(main(*sys.argv[1:]))
"""
"""Dies as soon as its first cell says something: without other code, at once."""


def the_bot(deployment: Deployment, code: str, warm: int = 0) -> list[str]:
    arguments = [str(prepare(deployment.data_dir)), deployment.name, deployment.runtime, str(warm), code]
    return [sys.executable, "-c", textwrap.dedent(BOT), *arguments]


@contextlib.contextmanager
def a_bot(deployment: Deployment, code: str, warm: int = 0):  # type: ignore[no-untyped-def]
    command = the_bot(deployment, code, warm)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


async def test_a_cell_that_ran_on_while_the_bot_was_dead_is_asked_for_and_not_run_again(
    deployment: Deployment,
) -> None:
    code = "import time; time.sleep(1.5); open('runs', 'a').write('x'); x += 1; print('done', x)"
    with a_bot(deployment, code) as bot:
        await asyncio.sleep(0.7)
        os.kill(bot.pid, signal.SIGKILL)
    async with deployment.session() as session:
        lost = session.lost_variables
        done = await run(session, code, cell="second")
        runs = await run(session, "open('runs').read(), x")

    assert lost is None
    assert (done.outcome, done.text) == (Outcome.OK, "done 42\n")
    assert runs.text == "('x', 42)\n"
    assert "runs" in done.changed_files


async def test_the_very_first_cell_of_a_dead_bot_is_asked_for_too(deployment: Deployment) -> None:
    died = await asyncio.to_thread(
        subprocess.run, the_bot(deployment, ""), cwd=Path(__file__).parents[2], check=False
    )
    (box,) = deployment.containers()
    async with deployment.session() as session:
        done = await run(session, "raise SystemExit", cell="first")
        runs = await run(session, "open('runs').read()")
        assert session.box
        assert session.box.container == box

    assert died.returncode == -signal.SIGKILL
    assert (done.outcome, done.text) == (Outcome.OK, "here\ndone\n")
    assert runs.text == "'x'\n"


async def test_output_of_a_dead_bots_cell_that_had_ended_is_heard_again(deployment: Deployment) -> None:
    code = "import matplotlib.pyplot as plt; print('a'); plt.plot([1, 2]); plt.title('T'); plt.show(); print('b')"
    with a_bot(deployment, code) as bot:
        await asyncio.sleep(4)
        os.kill(bot.pid, signal.SIGKILL)
    async with deployment.session() as session:
        done = await run(session, "raise SystemExit", cell="second")

    assert done.text == "a\n[t.png]\nb\n"
    assert [each.media_type for each in done.artifacts] == ["image/png"]


async def test_after_a_crash_unused_boxes_go_and_sessions_are_taken_over(deployment: Deployment) -> None:
    with a_bot(deployment, "x = 42", warm=2) as bot:
        await until("two more are ready", lambda: len(deployment.containers()) == 3)
        os.kill(bot.pid, signal.SIGKILL)
    async with deployment.opened() as sandbox:
        await until("only the session's is left", lambda: len(deployment.containers()) == 1)
        async with sandbox.session(THREAD) as session:
            done = await run(session, "x")

    assert done.text == "42\n"


async def test_a_file_that_a_dead_bot_was_sending_does_not_stop_the_next_one(deployment: Deployment) -> None:
    async with deployment.session() as session:
        await run(session, "x = 1")
        assert session.box
        # A frame that promises more than will ever come.
        session.box._channel._stdio.write(b'{"op":"put_data","epoch":1,"id":9,"n":100000}\nabc')
    began = time.monotonic()
    async with deployment.session() as again:
        done = await run(again, "x")

    assert done.text == "1\n"
    assert time.monotonic() - began < 8


async def test_an_owner_that_was_replaced_is_not_heard_any_more(deployment: Deployment) -> None:
    async with deployment.opened() as first, deployment.opened() as second:
        async with first.session(THREAD) as session:
            await run(session, "x = 1")
        old = first._sessions[THREAD].box
        assert old
        async with second.session(THREAD) as session:
            await run(session, "x = 2")
            await old._channel.send("exec", b"x = 3", cell="late", seconds=5)
            done = await run(session, "x")

    assert done.text == "2\n"


async def test_a_frozen_engine_connection_is_made_anew_within_a_cell(deployment: Deployment) -> None:
    async with deployment.session() as session:
        await run(session, "x = 1")
        assert session.box
        session.box._channel._stdio.write(b"no frame at all\n")
        done = await run(session, "x += 1; print(x); _ = open('f', 'w').write('new')")

    assert (done.outcome, done.text, done.changed_files) == (Outcome.OK, "2\n", ("f",))
    assert set(session.record.files) == {"f"}


async def test_a_box_that_was_kept_ready_knows_what_a_chart_was_saved_to(deployment: Deployment) -> None:
    code = "import matplotlib.pyplot as plt\nplt.bar(['a'], [1])\nplt.title('T')\nplt.savefig('bars.png')"
    async with deployment.opened(warm=1) as sandbox:
        await sandbox.until_warm()
        async with sandbox.session(ONE) as session:
            done = await run(session, code)

    assert [artifact.name for artifact in done.artifacts] == ["bars.png"]
