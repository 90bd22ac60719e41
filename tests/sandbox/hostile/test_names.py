"""Names that lead out of the workspace, and what code puts where the host's files go."""

from pathlib import Path

import pytest

from bot.errors import AttachmentRefused
from sandbox.box import FileProblem
from tests.sandbox.conftest import run
from tests.sandbox.hostile.house import LOOP, House, everywhere, facts_of

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope=LOOP)]

WAYS_OUT = [
    "../x",
    "a/../../x",
    "/tmp/x",
    "/workspace/x",
    "//x",
    "a//x",
    "./x",
    "a/.",
    "..",
    ".",
    "",
    "/",
    "x/",
    "x\0y",
    "n" * 256,
    "\ud800",
]
TRAPS = """
import os
os.symlink("/tmp", "folder"); os.symlink("/tmp/outside", "link"); os.symlink("nothing", "dangling")
os.mkfifo("pipe"); os.makedirs("directory/inside"); os.symlink("/etc/passwd", "passwd")
os.symlink("/proc/1/environ", "environ"); os.symlink("/dev/zero", "zero"); os.symlink("loop", "loop")
"""
OUTSIDE = """
import os
print(sorted(os.listdir("/tmp")), os.path.lexists("/tmp/outside"), os.path.isfile("/workspace/x"), sorted(os.listdir()))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_text("from the host")
    return path


@everywhere
async def test_no_name_leads_out_of_the_workspace(house: House, source: Path) -> None:
    async with house.session() as session:
        box = await session.open()
        await session.put("put.txt", source)
        before = (await run(session, OUTSIDE)).text
        for name in WAYS_OUT:
            with pytest.raises((AttachmentRefused, UnicodeEncodeError)):
                await session.put(name, source)
            assert (await box.rename("put.txt", name)) is not None, name
            assert (await box.rename(name, "taken.txt")) is not None, name
            with pytest.raises(FileProblem):
                assert not [piece async for piece in box.get(name, 1000)]
        after = (await run(session, OUTSIDE)).text
        facts = await facts_of(session)

        assert after == before
        assert facts.put == "from the host"


@everywhere
async def test_what_code_puts_in_the_way_is_replaced_or_refused_and_never_followed(
    house: House, source: Path
) -> None:
    async with house.session() as session:
        await run(session, TRAPS)
        await session.put("put.txt", source)
        for name in ("link", "dangling", "pipe", "passwd", "zero", "loop"):
            await session.put(name, source)
        for name in ("folder/x", "directory", "environ/x", "put.txt/x", "zero/x"):
            with pytest.raises(AttachmentRefused):
                await session.put(name, source)
        code = (
            "print([open(n).read() for n in ('link', 'pipe', 'passwd', 'zero', 'loop')], os.listdir('/tmp'))"
        )
        done = await run(session, f"import os; {code}")

        assert done.text.startswith(f"{['from the host'] * 5}")
        assert "'x'" not in done.text
        assert "outside" not in done.text


@everywhere
async def test_nothing_but_ordinary_files_of_the_workspace_comes_out(house: House, source: Path) -> None:
    async with house.session() as session:
        box = await session.open()
        await session.put("put.txt", source)
        await run(session, TRAPS)
        kinds: dict[str, str] = {}
        for name in (
            "link",
            "pipe",
            "passwd",
            "environ",
            "zero",
            "loop",
            "directory",
            "folder/passwd",
            "gone",
        ):
            try:
                kinds[name] = repr([piece async for piece in box.get(name, 1000)])
            except FileProblem as problem:
                kinds[name] = problem.kind
            assert (await box.rename(name, "moved.txt")) is not None, name
        listed = [file.name for file in await session.files()]

        assert set(kinds.values()) <= {"gone", "not_a_file", "io", "name"}
        assert listed == ["put.txt"]


@pytest.mark.parametrize("size", [0, 200_000])
@everywhere
async def test_a_file_that_changes_while_it_is_put_is_whole_or_refused(
    house: House, tmp_path: Path, size: int
) -> None:
    content = b"from the host" + bytes(size)
    (tmp_path / "source").write_bytes(content)
    async with house.session() as session:
        await run(session, HALF_FILES)
        refused = 0
        for number in range(30):
            try:
                await session.put(f"f{number}", tmp_path / "source")
            except AttachmentRefused:
                refused += 1
        done = await run(session, "going = False\nimport os; print(os.listdir('/tmp'))")

        assert "outside" not in done.text
        assert refused < 30 or "f0" not in [file.name for file in await session.files()]


HALF_FILES = """
import os, threading
going = True
def swap():
    while going:
        for name in os.listdir("/workspace"):
            if "incoming" in name:
                try:
                    os.remove("/workspace/" + name); os.symlink("/tmp/outside", "/workspace/" + name)
                except OSError: pass
threading.Thread(target=swap, daemon=True).start()
"""
