"""A Postgres of the tests' own: a cluster in a folder, on a socket there and on no port.

It is the system's package, not one that brings its own binaries: what operators run, and built for every machine. Where
it is not installed, the tests that need it are left out; `make test` installs it where it can.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.store.database import Database

NOBODY = "nobody"
AS_NOBODY = f"""
if [ -z "$(find /dev -maxdepth 0 -perm -o=x)" ]; then
    mount -t tmpfs -o mode=755 dev /dev
    mkdir -m 1777 /dev/shm
    mknod -m 666 /dev/null c 1 3
    mknod -m 666 /dev/zero c 1 5
    mknod -m 666 /dev/urandom c 1 9
fi
exec setpriv --reuid {NOBODY} --clear-groups "$@"
"""
OPTIONS = "-c fsync=on -c listen_addresses= -c max_connections=60 -c shared_buffers=32MB"


def binaries() -> Path | None:
    """Where initdb and pg_ctl are, the newest of them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    there = shutil.which("initdb")
    return found[-1] if found else Path(there).parent if there else None


class Cluster:
    def __init__(self, bin_dir: Path, folder: Path) -> None:
        self._bin = bin_dir
        self.folder = folder
        self._template: str | None = None

    def run(self, name: str, *arguments: str) -> None:
        command = [str(self._bin / name), *arguments]
        if os.getuid() == 0:
            # The server refuses to run as root; and some machines keep /dev to root.
            command = ["unshare", "--mount", "sh", "-c", AS_NOBODY, "sh", *command]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)

    def start(self) -> None:
        options = f"{OPTIONS} -k {self.folder}"
        self.run(
            "pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start"
        )

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", mode, "-w", "stop")

    def new_database(self, template: str = "template0", *options: str) -> str:
        """The address of an empty one; `options` are those of `createdb`."""
        name = f"t{uuid.uuid4().hex}"
        self.run("createdb", "-h", str(self.folder), "-U", "tests", "-T", template, *options, name)
        return f"postgresql+psycopg://tests@/{name}?host={self.folder}"

    async def new_store(self) -> str:
        """The address of one with all tables: made once by the migrations, then copied."""
        if self._template is None:
            url = self.new_database()
            async with Database.opened(url):
                pass
            self._template = url.partition("@/")[2].partition("?")[0]
        return self.new_database(self._template)


@contextmanager
def cluster(bin_dir: Path) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="plotline-pg-"))
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam(NOBODY).pw_uid, -1)
    made = Cluster(bin_dir, folder)
    try:
        made.run(
            "initdb", "-D", f"{folder}/data", "-U", "tests", "--auth=trust", "--encoding=UTF8", "--no-sync"
        )
        made.start()
        yield made
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            made.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
