"""Ways out: what `sandbox.guest.attempts` tries, each a case, and what only a neighbour makes worth trying."""

from pathlib import Path

from sandbox.guest import attempts
from tests.sandbox.hostile.case import Case
from tests.sandbox.hostile.house import SECRET

SOURCE = Path(attempts.__file__).read_text()


def _attempt(name: str) -> Case:
    # Beside its own files: a session of these tests has one that the host put there.
    hidden = "put = Path('/workspace/put.txt')\nput.unlink()\n{}\n_ = put.write_text('from the host')"
    code = f"{SOURCE}\n{hidden.format(f'main({name!r})')}"
    closed = rf'"{name}", "possible": \[\]}}'
    # Versions before 2023 let anybody open the descriptors of others: `test_hijacking` says what comes of it.
    known = rf'"{name}", "possible": \[("descriptors of process 1")?\]}}'
    return Case(
        name.replace(" ", "-"),
        code,
        text=closed,
        gvisor_text=known if name == "channel" else "",
        seconds=40,
        keeps=True,
    )


CASES = [
    *map(_attempt, attempts.ATTEMPTS),
    Case(
        "another-session",
        f"""
import os, subprocess
wanted = {SECRET[:8]!r} + {SECRET[8:]!r}
for folder in ("/proc", "/sys/fs", "/tmp", "/dev", "/run", "/var", "/workspace", "/home", "/root", "/mnt", "/srv"):
    look = ["timeout", "5", "grep", "-rlsI", "--devices=skip", wanted, folder]
    done = subprocess.run(look, capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if "cmdline" not in line and "environ" not in line]
    if found: print(folder, found)
""",
        text="^$",
        seconds=60,
        keeps=True,
        slow=True,
    ),
]
