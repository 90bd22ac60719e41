"""What code in a box must not be able to do, tried out in one: what comes back is hostile text."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from bot.checks import Check
from bot.execution import Outcome
from sandbox.session import BoxSession

SECONDS = 60.0
CODE = Path(__file__).with_name("guest") / "attempts.py"
SHOWN = 5
SHOWN_CHARACTERS = 60
CLOSED = {
    "root": "Code is not root, has no capabilities and cannot gain any.",
    "system": "Neither the image nor settings of the kernel can be written to.",
    "pid 1": "Process 1, which holds code to its limits, cannot be touched.",
    "channel": "What process 1 and the bot say to each other is out of reach.",
    "priority": "Limits and priorities of process 1 cannot be changed.",
    "network": "No address answers and no name is known.",
    "docker": "The engine is out of reach, by its sockets and by its ports.",
    "sockets": "No sockets but plain ones: no VSOCK, packets, netlink, crypto.",
    "kernel": "Its rarer doors are shut: io_uring, bpf, perf, keys, modules.",
    "mounts": "No namespaces and no mounts can be made.",
    "devices": "No devices can be made or opened.",
    "secrets": "Nothing of the bot's environment is there.",
    "others": "Nothing of anybody else is there: no files, no processes.",
    "machine": "Clock, name and power of the machine are out of reach.",
    "segments": "No memory outlives the processes that took it.",
    "32 bit": "System calls of other architectures are refused.",
}
"""What holds where an attempt of `sandbox.guest.attempts` fails, by its name."""
MEND = "docker version; docker info -f '{{.SecurityOptions}}'"
MENDS = {
    "channel": "none is known under gVisor; code can spoil its own thread by it: docs/security.md#gvisor"
}
"""Where another one than `MEND` is known."""
SHARED_KERNEL = (
    "Under runc, containers share this machine's kernel, and a hole in it is a way out: "
    "for a public community, gVisor is advised (SANDBOX_RUNTIME=runsc)."
)


async def checks(session: BoxSession) -> AsyncIterator[Check]:
    """One for each attempt, as they are made. Raises `SandboxError` where no code can be run."""
    for name, closed in CLOSED.items():
        possible = await _possible(session, name)
        if possible is None:
            yield Check(name, False, f"The box did not say whether this holds: {closed}", MEND)
        elif possible:
            yield Check(name, False, f"Possible: {', '.join(possible)}.", MENDS.get(name, MEND))
        else:
            yield Check(name, True, closed)


async def _possible(session: BoxSession, name: str) -> tuple[str, ...] | None:
    """What could be done; None where that is not known.

    Each in a cell of its own: one that ends the whole box says nothing, and the next one gets another box.
    """
    code = f"{CODE.read_text()}\nmain({name!r})"
    ran = await session.run(code, cell_id=uuid.uuid4().hex, seconds=SECONDS)
    return said(name, ran.text) if ran.outcome is Outcome.OK else None


def said(name: str, text: str) -> tuple[str, ...] | None:
    """What could be done, as far as the box says it in the right form."""
    for line in text.splitlines():
        try:
            answer = json.loads(line)
            if answer["attempt"] == name and isinstance(answer["possible"], list):
                return tuple(_plain(each) for each in answer["possible"][:SHOWN])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return None


def _plain(said: object) -> str:
    """Nothing that could do something to a terminal."""
    text = said if isinstance(said, str) else "something"
    return "".join(each if each.isprintable() else "?" for each in text[:SHOWN_CHARACTERS]) or "something"
