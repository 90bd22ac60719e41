"""The way out of a box: which hosts, which addresses, and nothing but TLS to whom was asked for."""

import asyncio
import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.execution import Receipt
from sandbox.egress.allow import EntryRefused, is_public, may_be_asked_for, parse
from sandbox.egress.hello import NoHello, server_name
from sandbox.egress.index import index_of
from sandbox.egress.network import network
from sandbox.egress.relay import Relay
from sandbox.frames import Net


@functools.cache  # loading the authorities takes longer than all else here
def greeting(host: str | None) -> bytes:
    """What Python's own TLS client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    client = context.wrap_bio(incoming, outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_entries_name_a_host_a_port_and_perhaps_an_address() -> None:
    allowed = parse(["Example.org", " a.example:8443 ", "b.example:443=10.0.0.7"])

    assert allowed.hosts == {("example.org", 443), ("a.example", 8443), ("b.example", 443)}
    assert allowed.pins == {("b.example", 443): "10.0.0.7"}


@pytest.mark.parametrize(
    "entry", ["*.example.org", "10.0.0.7", "[::1]:443", "a b", "a:0", "a:70000", "a=b", "", "https://a"]
)
def test_an_entry_that_names_no_single_host_is_refused(entry: str) -> None:
    with pytest.raises(EntryRefused):
        parse([entry])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:0a00:0001::", "2001:db8::1", "no address", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_on_the_internet_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_an_address_on_the_internet_is_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["example.org", "a.b-c.example"])
def test_the_host_that_tls_asks_for_is_read_from_its_greeting(host: str) -> None:
    hello = greeting(host)

    assert server_name(hello) == host
    assert all(server_name(hello[:length]) is None for length in range(len(hello)))


def test_a_greeting_to_nobody_in_particular_is_none() -> None:
    with pytest.raises(NoHello):
        server_name(greeting(None))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_greeting_or_none_and_nothing_else(data: bytes) -> None:
    for prefix in (b"", b"\x16\x03\x01\x00\x40\x01"):
        try:
            found = server_name(prefix + data)
        except NoHello:
            continue
        assert found is None or isinstance(found, str)


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_damaged_greeting_is_no_surprise(at: int, byte: int) -> None:
    hello = bytearray(greeting("example.org"))
    hello[at % len(hello)] = byte
    with contextlib.suppress(NoHello):
        server_name(bytes(hello))


def test_the_index_is_the_one_that_pip_is_configured_for(tmp_path: Path) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example:8443/simple\n"
    )
    nothing = {"XDG_CONFIG_DIRS": str(tmp_path)}

    configured = index_of(nothing, tmp_path)
    by_environment = index_of(nothing | {"PIP_INDEX_URL": "https://other.example/simple"}, tmp_path)

    assert configured.hosts.hosts == {("mirror.example", 8443)}
    assert by_environment.url == "https://other.example/simple"


def test_without_a_configuration_it_is_pypi_with_its_files(tmp_path: Path) -> None:
    found = index_of({"XDG_CONFIG_DIRS": str(tmp_path), "PIP_INDEX_URL": "https://pypi.org/simple"}, tmp_path)

    assert found.hosts.hosts == {("pypi.org", 443), ("files.pythonhosted.org", 443)}


@pytest.mark.parametrize(
    "url", ["https://user:secret@mirror.example/simple", "http://mirror.example/simple", "file:///x"]
)
def test_an_index_with_a_password_or_without_tls_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(EntryRefused) as refused:
        index_of({"PIP_INDEX_URL": url}, tmp_path)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["pypi.org", "a.b-c.example", "xn--bcher-kva.xn--p1ai"])
def test_people_can_be_asked_for_names_that_may_be_on_the_internet(name: str) -> None:
    assert may_be_asked_for(name)


@pytest.mark.parametrize(
    "name",
    [
        "localhost", "db", "127.0.0.1", "0x7f.1", "1.1", "::1", "metadata.google.internal", "printer.local",
        "a.localhost", "router.lan", "1.0.0.127.in-addr.arpa", "a..example", "-a.example", "a_b.example", ".example",
        "`x`.example", "a example.org", "",
    ],
)  # fmt: skip
def test_people_are_not_asked_for_names_that_lead_inside_or_nowhere(name: str) -> None:
    assert not may_be_asked_for(name)


def test_where_people_are_asked_there_is_a_network_with_nothing_allowed(tmp_path: Path) -> None:
    found = network([], False, "", {}, tmp_path, asks=True)

    assert found is not None
    assert not found.allowed


def test_nothing_allowed_is_no_network(tmp_path: Path) -> None:
    assert network([], False, "", {}, tmp_path) is None


# The relay, with a box's end played at the level of frames


@dataclass
class BoxEnd:
    """Speaks for the code in the box."""

    relay: Relay | None = None
    heard: bytearray = field(default_factory=bytearray)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    window: bool = True

    async def send(self, op: str, payload: bytes | None = None, **facts: Any) -> None:
        assert op == "net"
        if facts["do"] == "data":
            assert payload
            self.heard += payload
            if self.window:
                self.say("ack", k=len(payload))
        if facts["do"] == "close":
            self.closed.set()

    def say(self, do: str, payload: bytes = b"", **facts: Any) -> None:
        assert self.relay
        self.relay.hear(Net(ev="net", conn=1, do=do, payload=payload, **facts))  # type: ignore[arg-type]

    async def connect(self, host: str, port: int) -> None:
        self.say("data", f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
        await self.until(b"200 Connected\r\n\r\n")

    async def until(self, what: bytes) -> None:
        async with asyncio.timeout(5):
            while what not in self.heard and not self.closed.is_set():  # noqa: ASYNC110  # many writers
                await asyncio.sleep(0.005)
        assert what in self.heard, bytes(self.heard)


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A server that gives back what it gets. Its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def relay_to(*entries: str, addresses: Callable[[], list[str]] | None = None) -> tuple[Relay, BoxEnd]:
    box = BoxEnd()

    async def resolve(_host: str, _port: int) -> list[str]:
        return addresses() if addresses else []

    box.relay = Relay(box.send, parse(entries), "the help desk", resolve)
    box.say("open")
    return box.relay, box


async def refusal_of(target: str, ends: tuple[Relay, BoxEnd]) -> tuple[Receipt, bytes]:
    relay, box = ends
    box.say("data", f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
    await asyncio.wait_for(box.closed.wait(), 5)
    (receipt,) = await relay.settle()
    return receipt, bytes(box.heard)


async def test_what_is_allowed_is_carried_both_ways_and_counted() -> None:
    async with echo() as port:
        relay, box = relay_to(f"a.example:{port}=127.0.0.1")
        hello, text = greeting("a.example"), b"x" * 1_000_000
        await box.connect("a.example", port)
        box.say("data", hello)
        for start in range(0, len(text), 100_000):
            box.say("data", text[start : start + 100_000])
            await box.until(hello + text[: start + 100_000])
        box.say("eof")
        await asyncio.wait_for(box.closed.wait(), 5)
        (receipt,) = await relay.settle()

    assert (receipt.host, receipt.refused) == ("a.example", "")
    assert receipt.sent_bytes == receipt.received_bytes == len(hello) + len(text)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (
            "CONNECT other.example:443",
            "other.example:443 is not on this bot's list of hosts; the help desk can add it",
        ),
        ("CONNECT a.example:444", "a.example:444 is not on"),
        ("CONNECT 1.1.1.1:443", "1.1.1.1:443 is not on"),
        ("GET http://a.example/", "only https is let through"),
        ("CONNECT a.example", "only https is let through"),
        ("nonsense", "only https is let through"),
    ],
)
async def test_what_is_not_allowed_is_refused_by_name(asked: str, why: str) -> None:
    relay, box = relay_to("a.example:443=127.0.0.1")
    box.say("data", f"{asked} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await asyncio.wait_for(box.closed.wait(), 5)

    assert box.heard.startswith(b"HTTP/1.1 403 ")
    assert why in box.heard.decode()
    assert [why in receipt.refused for receipt in await relay.settle()] in ([True], [])


@pytest.mark.parametrize("addresses", [["10.0.0.7"], ["1.1.1.1", "127.0.0.1"], ["169.254.169.254"], []])
async def test_a_name_that_leads_inside_is_refused(addresses: list[str]) -> None:
    _, box = relay_to("a.example", addresses=lambda: addresses)
    box.say("data", b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
    await asyncio.wait_for(box.closed.wait(), 5)

    assert b"403 a.example leads into a private network" in box.heard


async def test_for_what_a_rule_excludes_nobody_is_asked_and_nothing_is_looked_up_before() -> None:
    looked_up: list[str] = []

    def addresses() -> list[str]:
        looked_up.append("a.example")
        return ["10.0.0.7"]

    allowed, _ = await refusal_of("a.example:443", relay_to("a.example", addresses=addresses))
    unlisted, _ = await refusal_of("b.example:443", relay_to("a.example", addresses=addresses))

    assert (allowed.may_be_asked_for, unlisted.may_be_asked_for) == (False, True)
    assert looked_up == ["a.example"]


async def test_a_name_that_changes_its_address_is_called_at_the_one_that_was_checked() -> None:
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    relay, box = relay_to("a.example", addresses=lambda: next(answers))
    dialled: list[str] = []

    async def dial(host: str, _port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        dialled.append(host)
        raise OSError("nobody there")

    relay.dial = dial
    box.say("data", b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
    await asyncio.wait_for(box.closed.wait(), 5)

    assert dialled == ["1.1.1.1"]
    assert b"502" in box.heard


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (greeting("evil.example"), "TLS asks for evil.example"),
        (greeting(None), "names no host"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "this is not TLS"),
    ],
)
async def test_only_tls_to_the_host_that_was_asked_for_is_carried(said: bytes, why: str) -> None:
    async with echo() as port:
        relay, box = relay_to(f"a.example:{port}=127.0.0.1")
        await box.connect("a.example", port)
        box.say("data", said)
        await asyncio.wait_for(box.closed.wait(), 5)
        (receipt,) = await relay.settle()

    assert bytes(box.heard) == b"HTTP/1.1 200 Connected\r\n\r\n"
    assert why in receipt.refused


async def test_what_is_revoked_ends_at_once() -> None:
    async with echo() as port:
        relay, box = relay_to(f"a.example:{port}=127.0.0.1")
        await box.connect("a.example", port)
        box.say("data", greeting("a.example"))
        await box.until(greeting("a.example")[:5])
        await relay.close()

    assert box.closed.is_set()


async def test_a_host_that_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.egress.relay.CLOSE_SECONDS", 0.05)
    ends = asyncio.Event()

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()
        await ends.wait()
        writer.transport.abort()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        relay, box = relay_to(f"a.example:{port}=127.0.0.1")
        await box.connect("a.example", port)
        box.say("data", greeting("a.example"))
        for _ in range(200):
            box.say("data", bytes(50_000))
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            (receipt,) = await relay.settle()
        ends.set()

    assert receipt.host == "a.example"


async def test_of_a_flood_of_connections_only_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.egress.relay.RECEIPTS", 3)
    relay, box = relay_to("a.example")
    for number in range(1, 8):
        box.say("data", b"CONNECT b%d.example:443 HTTP/1.1\r\n\r\n" % number)
        await asyncio.wait_for(box.closed.wait(), 5)
        box.closed.clear()
        box.say("open")

    assert [receipt.host for receipt in await relay.settle()] == ["b1.example", "b2.example", "b3.example"]


async def test_a_box_that_does_not_read_is_not_sent_more_than_its_window() -> None:
    async with echo() as port:
        relay, box = relay_to(f"a.example:{port}=127.0.0.1")
        box.window = False
        await box.connect("a.example", port)
        box.say("data", greeting("a.example"))
        for _ in range(20):
            box.say("data", bytes(50_000))
            await asyncio.sleep(0.01)
        heard = len(box.heard)
        await relay.close()

    assert heard <= 256 * 1024
