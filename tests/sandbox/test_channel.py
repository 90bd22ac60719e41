"""Attaching to a box and speaking with it, over the bytes that an engine would pass on."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import SandboxLost
from sandbox import channel as module
from sandbox import stdio
from sandbox.channel import FRAME_START, Channel
from sandbox.frames import FileEnd, Files, Written
from sandbox.guest import link
from sandbox.guest.link import ATTACH
from tests.sandbox.fake_box import STDERR, FakeBox, connected, framed, keeping_files, line


async def both(channel: Channel, far: FakeBox, epoch: int = 1) -> None:
    await asyncio.gather(channel.attach(epoch), far.attached())


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "UNFINISHED_SECONDS", 0.02)
    monkeypatch.setattr(module, "ASK_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(module, "ATTACH_SECONDS", 0.5)
    monkeypatch.setattr(module, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(stdio, "CLOSE_SECONDS", 0.2)


async def test_the_answer_to_attach_says_what_the_box_is_doing() -> None:
    async with connected() as (channel, far):
        attached, asked = await asyncio.gather(
            channel.attach(7), far.attached(boot="boot", kernel=3, running="c1", remembered=["c0"])
        )

    assert asked["epoch"] == 7
    assert (attached.epoch, attached.boot, attached.kernel) == (7, "boot", 3)
    assert (attached.running, attached.remembered) == ("c1", ["c0"])


async def test_each_attach_has_a_nonce_of_its_own() -> None:
    async with connected() as (channel, far):
        _, first = await asyncio.gather(channel.attach(1), far.attached())
        _, second = await asyncio.gather(channel.attach(2), far.attached())

    assert first["nonce"] != second["nonce"]
    assert len(first["nonce"]) >= 32


async def test_a_box_that_has_lost_its_place_knows_an_attach_by_its_first_bytes() -> None:
    async with connected() as (channel, far):
        _, asked = await asyncio.gather(channel.attach(1), far.attached())

    assert line(**{name: asked[name] for name in asked if name != "payload"}).startswith(ATTACH)


async def test_every_frame_is_sent_with_the_owners_epoch() -> None:
    async with connected() as (channel, far):
        await both(channel, far, epoch=5)
        await channel.send("ping", id=1)
        await channel.send("exec", b"print(1)", cell="c", seconds=2.0)

        assert await far.hear() == {"op": "ping", "epoch": 5, "id": 1, "payload": b""}
        assert await far.hear() == {
            "op": "exec",
            "epoch": 5,
            "cell": "c",
            "seconds": 2.0,
            "n": 8,
            "payload": b"print(1)",
        }


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b'ells"}\n',
        b"\x00\xff raw bytes of a picture \n with newlines",
        b'{"ev":"text","cell":"c","n":4}\nabcd',
        FRAME_START,
        b"x" * 300_000,
    ],
)
async def test_who_joins_in_mid_frame_begins_with_the_answer(before: bytes) -> None:
    async with connected() as (channel, far):
        far.write(before)
        await both(channel, far)
        far.say("file_end", id=1)

        assert isinstance(await channel.receive(), FileEnd)


async def test_who_joins_while_much_is_said_hears_the_answer_all_the_same() -> None:
    async def talk() -> None:
        for number in range(200):
            far.say("text", b"%05d" % number + b"." * 10_000, cell="c")
            await far.writer.drain()
        await far.attached()
        far.say("text", b"after", cell="c")

    async with connected() as (channel, far):
        await asyncio.gather(channel.attach(1), talk())
        heard = await channel.receive()

    assert isinstance(heard, Written)
    assert heard.payload == b"after"


async def test_the_answer_may_come_in_the_smallest_pieces() -> None:
    async def attached() -> None:
        nonce = (await far.hear())["nonce"]
        for byte in line(ev="attached", nonce=nonce, epoch=1, boot="b", kernel=1):
            far.writer.write(framed(bytes([byte])))
            await far.writer.drain()

    async with connected() as (channel, far):
        attached_to, _ = await asyncio.gather(channel.attach(1), attached())

    assert attached_to.boot == "b"


async def test_frames_that_come_with_the_answer_are_heard_after_it() -> None:
    async def attached() -> None:
        nonce = (await far.hear())["nonce"]
        answer = line(ev="attached", nonce=nonce, epoch=1, boot="b", kernel=1)
        far.write(
            line(ev="file_end", id=1) + answer + line(ev="file_end", id=2) + line(ev="file_end", id=3)[:-1]
        )
        far.write(b"\n")

    async with connected() as (channel, far):
        await asyncio.gather(channel.attach(1), attached())
        heard = [await channel.receive(), await channel.receive()]

    assert [end.id for end in heard if isinstance(end, FileEnd)] == [2, 3]


async def test_what_was_said_before_attaching_anew_does_not_count() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.say("file_end", id=1)
        await both(channel, far, epoch=2)
        far.say("file_end", id=2)
        heard = await channel.receive()

    assert isinstance(heard, FileEnd)
    assert heard.id == 2


async def refuse(far: FakeBox) -> None:
    far.say("refused", nonce=(await far.hear())["nonce"], epoch=9)


async def test_a_box_that_belongs_to_a_higher_epoch_is_lost() -> None:
    async with connected() as (channel, far):
        with pytest.raises(SandboxLost, match="epoch 9, ours is 1"):
            await asyncio.gather(channel.attach(1), refuse(far))

        assert channel.has_ended


async def test_another_answer_than_attached_is_no_answer() -> None:
    async def answer() -> None:
        far.say("text", b"", cell=(await far.hear())["nonce"])

    async with connected() as (channel, far):
        with pytest.raises(SandboxLost, match="answers attach with text"):
            await asyncio.gather(channel.attach(1), answer())


async def test_an_answer_that_is_no_frame_is_none() -> None:
    async def answer() -> None:
        far.write((await far.hear())["nonce"].encode() + b"\n")

    async with connected() as (channel, far):
        with pytest.raises(SandboxLost, match="not JSON"):
            await asyncio.gather(channel.attach(1), answer())


@pytest.mark.usefixtures("is_impatient")
async def test_a_box_that_drops_a_dead_owners_frame_is_asked_again() -> None:
    async with connected() as (channel, far):

        async def drop_the_first() -> str:
            dropped = await far.hear()
            again = await far.attached()
            return "same" if dropped["nonce"] == again["nonce"] else "other"

        _, nonce = await asyncio.gather(channel.attach(1), drop_the_first())

    assert nonce == "same"


@pytest.mark.usefixtures("is_impatient")
@pytest.mark.parametrize(
    "half",
    [
        b'{"op":"pi',
        line(op="put_data", epoch=1, id=1, n=1000) + b"half",
        line(op="put_data", epoch=1, id=1, n=10) + b"half",
        b"nonsense\n",
        b"",
    ],
)
async def test_a_box_hears_its_next_owner_whatever_the_last_one_left(tmp_path: Path, half: bytes) -> None:
    async with keeping_files(tmp_path) as stdio:
        await Channel(stdio).attach(1)
        stdio.write(half)
        channel = Channel(stdio)
        attached = await channel.attach(2)
        await channel.send("list", id=1)
        heard = await channel.receive()

    assert attached.epoch == 2
    assert isinstance(heard, Files)


@pytest.mark.usefixtures("is_impatient")
async def test_a_box_that_answers_twice_is_heard_once() -> None:
    async with connected() as (channel, far):

        async def answer_late() -> None:
            await far.hear()
            await far.attached(boot="late")
            far.say("file_end", id=1)

        attached, _ = await asyncio.gather(channel.attach(1), answer_late())
        heard = await channel.receive()

    assert attached.boot == "late"
    assert isinstance(heard, FileEnd)


@pytest.mark.usefixtures("is_impatient")
async def test_a_box_that_never_answers_is_lost() -> None:
    async with connected() as (channel, far):
        far.write(b"starting", STDERR)
        with pytest.raises(SandboxLost, match=r"does not answer.*stderr: starting"):
            await channel.attach(1)

        assert channel.has_ended


@pytest.mark.usefixtures("is_impatient")
async def test_a_box_that_takes_nothing_is_lost() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.reader._transport.pause_reading()  # type: ignore[attr-defined]  # StreamReader has no public one
        with pytest.raises(SandboxLost, match="does not take"):
            for _ in range(100):
                await channel.send("put_data", bytes(256 * 1024), id=1)

        await channel.close()
        assert channel.has_ended


async def test_a_connection_that_ends_is_lost_with_the_last_words_of_the_container() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.say("file_end", id=1)
        far.write(b"MemoryError: not enough", STDERR)
        far.end()

        assert isinstance(await channel.receive(), FileEnd)
        with pytest.raises(SandboxLost, match="connection has ended; its stderr: MemoryError: not enough"):
            await channel.receive()
        assert channel.has_ended


async def test_a_connection_that_ends_before_the_answer_is_lost() -> None:
    async with connected() as (channel, far):
        far.end()
        with pytest.raises(SandboxLost):
            await channel.attach(1)


async def test_a_connection_that_has_ended_takes_nothing() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.end()
        with pytest.raises(SandboxLost):
            for _ in range(100):
                await channel.send("ping", id=0)
                await asyncio.sleep(0)


async def test_bytes_that_are_not_in_the_engines_framing_are_no_container() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.writer.write(b"HTTP/1.1 502 Bad Gateway\r\n")
        with pytest.raises(SandboxLost, match="a header 48545450"):
            await channel.receive()

        assert channel.has_ended


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"nonsense\n", "not JSON"),
        (b"[]\n", "not an object"),
        (line(ev="surprise"), "surprise"),
        (line(ev="text", cell=1), "text"),
        (line(ev="text", cell="c", n=10**12), "payload"),
    ],
)
async def test_a_box_that_says_what_no_box_would_is_lost(data: bytes, why: str) -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.write(data)
        with pytest.raises(SandboxLost, match=why):
            await channel.receive()

        assert channel.has_ended


async def test_a_box_that_could_not_read_us_is_lost() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        far.say("garbled")
        with pytest.raises(SandboxLost, match="could not read"):
            await channel.receive()

        assert channel.has_ended


async def test_a_closed_channel_has_ended() -> None:
    async with connected() as (channel, far):
        await both(channel, far)
        had_ended = channel.has_ended
        await channel.close()

        assert (had_ended, channel.has_ended) == (False, True)
        assert await far.reader.read() == b""
