"""Engines that are elsewhere, or seem to be: a gate with TLS before this machine's own, and a second daemon."""

import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOCAL = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
START_SECONDS = 60


@dataclass(frozen=True)
class Certificates:
    """Of one authority: a server's, and a client's as DOCKER_CERT_PATH wants it."""

    folder: Path

    @property
    def client(self) -> Path:
        return self.folder / "client"

    def file(self, name: str) -> str:
        return str(self.folder / name)


def certificates(folder: Path, *, as_dockers_manual: bool = False) -> Certificates:
    """An authority made as Docker's manual says does not tell what its key is for; Python wants that since 3.13.

    https://docs.docker.com/engine/security/protect-access/#create-a-ca-server-and-client-keys-with-openssl
    """
    client = folder / "client"
    client.mkdir(parents=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        folder,
        "req",
        "-x509",
        *key,
        *([] if as_dockers_manual else ["-addext", "keyUsage=critical,keyCertSign"]),
        "-days",
        "2",
        "-subj",
        "/CN=authority",
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.pem",
    )
    for who, names in (("server", "DNS:localhost,IP:127.0.0.1"), ("client", "DNS:client")):
        _openssl(
            folder, "req", *key, "-subj", f"/CN={who}", "-keyout", f"{who}-key.pem", "-out", f"{who}.csr"
        )
        (folder / f"{who}.ext").write_text(
            f"subjectAltName={names}\nextendedKeyUsage={who}Auth\nauthorityKeyIdentifier=keyid\n"
        )
        _openssl(
            folder, "x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
            "-days", "2", "-extfile", f"{who}.ext", "-out", f"{who}-cert.pem",
        )  # fmt: skip
    for ours, theirs in (("ca", "ca"), ("client-cert", "cert"), ("client-key", "key")):
        (client / f"{theirs}.pem").write_bytes((folder / f"{ours}.pem").read_bytes())
    return Certificates(folder)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)


@contextmanager
def gate(mine: Certificates | None = None) -> Iterator[int]:
    """This machine's engine on a port of loopback, for clients whose certificate `mine` vouches for. The port.

    In a thread with a loop of its own, since a test's loop may wait for a command that asks the engine.
    """
    context = None
    if mine:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=mine.file("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as an engine does
        context.load_cert_chain(mine.file("server-cert.pem"), mine.file("server-key.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(_open(listening, context, stop)))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


async def _open(listening: socket.socket, context: ssl.SSLContext | None, stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as tasks:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serving.add(task := tasks.create_task(_pass_on(reader, writer)))
            task.add_done_callback(serving.discard)

        serving: set[asyncio.Task[None]] = set()
        await asyncio.start_server(serve, sock=listening, ssl=context)
        await stop.wait()
        for task in serving:
            task.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    back, there = await asyncio.open_unix_connection(LOCAL.removeprefix("unix://"))
    pumps = [asyncio.ensure_future(_pump(reader, there)), asyncio.ensure_future(_pump(back, writer))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in (writer, there):
            end.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(64 * 1024):
            sink.write(data)
            await sink.drain()


@contextmanager
def daemon(folder: Path, mine: Certificates, port: int) -> Iterator[None]:
    """A second engine on this machine, which has nothing in common with the first one and listens on TLS alone."""
    config = folder / "daemon.json"
    config.write_text("{}")
    with _bridge(f"plotline-{port}") as bridge, (folder / "log").open("wb") as log, subprocess.Popen(
        [
            "dockerd", f"--config-file={config}", f"--data-root={folder}/data", f"--exec-root={folder}/exec",
            f"--pidfile={folder}/pid", f"--host=tcp://127.0.0.1:{port}", "--tlsverify",
            f"--tlscacert={mine.file('ca.pem')}", f"--tlscert={mine.file('server-cert.pem')}",
            f"--tlskey={mine.file('server-key.pem')}", "--iptables=false", "--ip6tables=false",
            f"--bridge={bridge}",
        ],
        stdout=log, stderr=log,
    ) as running:  # fmt: skip
        try:
            _wait(port, running)
            yield
        finally:
            running.terminate()
            running.wait(START_SECONDS)


@contextmanager
def _bridge(name: str) -> Iterator[str]:
    """A bridge of its own: an engine that is told to have none removes that of the first one."""
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    try:
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


def _wait(port: int, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.2)
    raise RuntimeError("the second daemon did not start")
