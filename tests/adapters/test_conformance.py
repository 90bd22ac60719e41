"""What every adapter's thread does, whatever the platform."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.errors import AttachmentRefused, PlatformUnavailable
from bot.execution import Execution, Outcome
from bot.messages import CellFinished, CellStarted, Noted, Output, Update, Writing
from tests.adapters.stages import STAGES, Stage, artifact

KEY = "m1:answer"
TRIES = 5
PROGRESS: list[Update] = [
    Noted("Reading sales.csv"),
    Writing("I will sum them up. "),
    CellStarted(1, "# Sum the amounts\nsum(x)"),
    CellFinished(1, Execution(Outcome.OK, "5", 0.2)),
    CellStarted(2, "1/0"),
    CellFinished(2, Execution(Outcome.TIMED_OUT, "", 60.0)),
    Writing("The sum "),
]


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with STAGES[request.param](tmp_path) as opened:
        yield opened


def words(stage: Stage) -> list[str]:
    """In messages; those of an answer that is too long for them, in the file that it comes as."""
    whole = [content.decode() for name, content in stage.files() if name.endswith(".md")]
    return " ".join(whole or stage.texts()).split()


async def post(stage: Stage, output: Output, key: str = KEY) -> None:
    """As the core does it: where the platform is not there, once more, by whoever has the turn then."""
    for _ in range(TRIES):
        with suppress(PlatformUnavailable):
            return await stage.thread().post(output, key)
    raise AssertionError("it was not posted")


async def test_an_answer_is_there(stage: Stage) -> None:
    await stage.thread().post(Output("The sum is 5."), KEY)

    assert stage.texts() == ["The sum is 5."]


async def test_sixty_thousand_characters_arrive_in_order(stage: Stage) -> None:
    expected = [f"word{number}" for number in range(7000)]
    await stage.thread().post(Output(" ".join(expected)), KEY)

    assert [word for word in words(stage) if word.startswith("word")] == expected


async def test_long_code_arrives_whole(stage: Stage) -> None:
    code = "\n".join(f"print({number})" for number in range(2000))
    await stage.thread().post(Output(f"Here:\n\n```python\n{code}\n```\n\nThat is all."), KEY)

    assert re.findall(r"print\((\d+)\)", " ".join(words(stage))) == [str(number) for number in range(2000)]


async def test_of_a_long_table_every_row_arrives_somewhere(stage: Stage) -> None:
    rows = "\n".join(f"| r{number} | {number * 7} |" for number in range(150))
    await stage.thread().post(Output(f"All:\n\n| name | value |\n|---|---|\n{rows}"), KEY)

    shown = set(re.findall(r"r\d+", " ".join(words(stage))))
    in_file = any(name.endswith((".xlsx", ".csv")) for name, _ in stage.files())
    assert in_file or shown >= {f"r{number}" for number in range(150)}


async def test_the_same_key_is_posted_once(stage: Stage, tmp_path: Path) -> None:
    output = Output("Once.", (artifact(tmp_path, "a.csv"),))
    thread = stage.thread()
    await thread.post(output, KEY)
    await thread.post(output, KEY)
    await stage.thread().post(output, KEY)

    assert stage.texts() == ["Once."]
    assert [name for name, _ in stage.files()] == ["a.csv"]


async def test_different_keys_are_different_posts(stage: Stage) -> None:
    thread = stage.thread()
    await thread.post(Output("One."), "m1:answer")
    await thread.post(Output("Two."), "m2:answer")

    assert words(stage) == ["One.", "Two."]


async def test_an_answer_whose_arrival_nobody_confirmed_is_there_once(stage: Stage) -> None:
    stage.lose_answers(2)
    await post(stage, Output("word " * 4000))

    assert words(stage) == ["word"] * 4000


@pytest.mark.parametrize("requests", range(1, 14))
async def test_a_post_that_was_cut_off_is_finished_by_another_process(
    stage: Stage, tmp_path: Path, requests: int
) -> None:
    if stage.requests() is None:
        pytest.skip("nothing outlives the process")
    output = Output("word " * 6000, (artifact(tmp_path, "a.csv"),))
    posting = asyncio.ensure_future(stage.thread().post(output, KEY))
    while not posting.done() and (stage.requests() or 0) < requests:  # noqa: ASYNC110  # it happens on the far side
        await asyncio.sleep(0)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    await stage.thread().post(output, KEY)

    assert words(stage) == ["word"] * 6000
    assert [name for name, _ in stage.files()] == ["a.csv"]


async def test_a_refused_message_goes_out_simpler(stage: Stage) -> None:
    stage.refuse_rich_messages()
    await stage.thread().post(Output("The **sum** is 5."), KEY)

    assert words(stage)[0] == "The"
    assert words(stage)[-2:] == ["is", "5."]


async def test_an_answer_that_no_message_can_hold_is_not_lost(stage: Stage) -> None:
    stage.refuse_messages()
    await stage.thread().post(Output("The sum is 5."), KEY)

    told = [*stage.texts(), *(content.decode() for _, content in stage.files())]
    assert any("The sum is 5." in each for each in told)


async def test_a_minute_without_the_platform_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.go_down(60)
    await post(stage, Output("Here.", (artifact(tmp_path, "a.csv"),)))

    assert stage.texts() == ["Here."]
    assert [name for name, _ in stage.files()] == ["a.csv"]


async def test_files_arrive_under_their_names_with_their_bytes(stage: Stage, tmp_path: Path) -> None:
    files = [(f"file-{number}.csv", f"content {number}".encode()) for number in range(15)]
    output = Output("See.", tuple(artifact(tmp_path, name, content) for name, content in files))
    await stage.thread().post(output, KEY)

    assert stage.files() == files


async def test_pictures_are_described(stage: Stage, tmp_path: Path) -> None:
    chart = artifact(tmp_path, "chart.png", b"png", "Sales rise in May")
    await stage.thread().post(Output("See.", (chart,)), KEY)

    assert stage.described()["chart.png"] == "Sales rise in May"


async def test_a_file_alone_is_an_answer(stage: Stage, tmp_path: Path) -> None:
    await stage.thread().post(Output("", (artifact(tmp_path, "a.csv"),)), KEY)

    assert [name for name, _ in stage.files()] == ["a.csv"]


async def test_progress_gives_way_to_the_answer(stage: Stage) -> None:
    thread = stage.thread()
    async with thread.working():
        for update in PROGRESS:
            await thread.progress(update)
        await thread.post(Output("The sum is 5."), KEY)

    assert stage.texts() == ["The sum is 5."]


async def test_progress_never_fails(stage: Stage) -> None:
    stage.go_down(None)
    thread = stage.thread()
    async with asyncio.timeout(30), thread.working():
        for update in PROGRESS:
            await thread.progress(update)


async def test_a_turn_that_is_cancelled_leaves_no_sign_of_life(stage: Stage) -> None:
    started = asyncio.Event()

    async def turn() -> None:
        thread = stage.thread()
        async with thread.working():
            await thread.progress(PROGRESS[0])
            started.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(turn())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not stage.is_busy()


async def test_a_file_is_fetched(stage: Stage, tmp_path: Path) -> None:
    attachment = stage.attachment("sales.csv", b"a,b\n1,2\n")
    await stage.thread().fetch(attachment, tmp_path / "fetched", 100)

    assert (tmp_path / "fetched").read_bytes() == b"a,b\n1,2\n"


async def test_a_file_over_the_limit_is_refused(stage: Stage, tmp_path: Path) -> None:
    attachment = stage.attachment("sales.csv", b"x" * 101)
    with pytest.raises(AttachmentRefused) as refused:
        await stage.thread().fetch(attachment, tmp_path / "fetched", 100)

    assert refused.value.sentence == "attachment_over_limit"


async def test_a_file_that_cannot_be_had_says_so(stage: Stage, tmp_path: Path) -> None:
    attachment = stage.attachment("sales.csv", b"x")
    (tmp_path / "sales.csv").unlink(missing_ok=True)
    stage.go_down(None)
    gone = type(attachment)("sales.csv", attachment.url.replace("127.0.0.1", "127.0.0.1:9/"), 1)
    with pytest.raises((AttachmentRefused, PlatformUnavailable)):
        await stage.thread().fetch(gone, tmp_path / "fetched", 100)


async def test_nobody_is_called(stage: Stage) -> None:
    calls = "<!channel> <!here> <@U2> <@!5> <@&5> @everyone @here @channel"
    await stage.thread().post(Output(f"Look: {calls}"), KEY)

    # Whatever reads as a call has something in it that makes it none; the fakes know the platform's own rules too.
    if not stage.texts()[0].startswith("Look: <!channel>"):
        assert "\u200b" in stage.texts()[0]


async def test_two_posts_at_once_do_not_mix(stage: Stage) -> None:
    thread = stage.thread()
    await asyncio.gather(*(thread.post(Output(f"Answer {number}."), f"m{number}") for number in range(5)))

    assert sorted(re.findall(r"Answer \d\.", " ".join(stage.texts()))) == [f"Answer {at}." for at in range(5)]
