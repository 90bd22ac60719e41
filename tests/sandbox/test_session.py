"""A thread's session in a real container: what lasts, how cells end, what they leave."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import AttachmentRefused
from bot.execution import Outcome
from bot.limits import MIB
from bot.messages import ThreadId
from sandbox.session import BoxSession
from tests.sandbox.conftest import Deployment, docker, run

pytestmark = pytest.mark.docker

Write = Callable[[str, bytes], Path]


async def test_variables_imports_directory_and_files_last_from_cell_to_cell(session: BoxSession) -> None:
    await run(session, "import math, os; x = 41; os.mkdir('d'); os.chdir('d'); open('f', 'w').write('here')")

    done = await run(session, "print(x + 1, math.pi, os.getcwd(), open('f').read())")

    assert done.text == "42 3.141592653589793 /workspace/d here\n"


async def test_a_session_goes_on_in_another_process(deployment: Deployment) -> None:
    async with deployment.session() as first:
        await run(first, "x = 41")
    async with deployment.session() as second:
        done = await run(second, "x + 1")
        lost = second.lost_variables

    assert (done.text, lost, len(deployment.containers())) == ("42\n", None, 1)


async def test_threads_do_not_see_each_other(deployment: Deployment) -> None:
    async with deployment.opened() as sandbox:
        async with sandbox.session(ThreadId("test:T1/C1/1")) as one:
            await run(one, "x = 1; open('f', 'w').write('x')")
        async with sandbox.session(ThreadId("test:T1/C1/2")) as other:
            done = await run(other, "import os; print('x' in dir(), os.listdir())")

    assert done.text == "False []\n"


async def test_files_outlive_their_container_and_lost_variables_are_named(deployment: Deployment) -> None:
    async with deployment.session() as session:
        await run(
            session, "total = 7; import os; os.makedirs('a/b'); open('a/b/f.bin', 'wb').write(bytes(300_000))"
        )
        await asyncio.to_thread(docker, "rm", "-f", *deployment.containers())
        done = await run(session, "print(len(open('a/b/f.bin', 'rb').read()), 'total' in dir())")

    assert done.text == "300000 False\n"
    assert done.lost_variables is not None
    assert set(done.lost_variables) == {"total", "os"}


async def test_a_cell_whose_container_goes_away_is_lost_and_not_run_again(deployment: Deployment) -> None:
    async with deployment.session() as session:
        await run(session, "x = 1")
        running = asyncio.create_task(run(session, "import time; print('begun'); time.sleep(60)"))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(docker, "kill", *deployment.containers())
        lost = await running
        after = await run(session, "print('x' in dir())")

    assert (lost.outcome, lost.text) == (Outcome.LOST, "begun\n")
    assert (after.outcome, after.text) == (Outcome.OK, "False\n")


async def test_a_cell_runs_once_however_often_it_is_asked_for(session: BoxSession) -> None:
    first = await run(session, "print('ran'); open('log', 'a').write('x'); 1 / 0", cell="c1")
    again = await run(session, "print('another code')", cell="c1")
    count = await run(session, "open('log').read()")

    assert first.text == again.text
    assert again.outcome is Outcome.RAISED
    assert count.text == "'x'\n"


async def test_text_stays_in_the_order_in_which_it_was_written(session: BoxSession) -> None:
    code = """
import os, subprocess, sys
print("one")
print("two", file=sys.stderr)
subprocess.run(["echo", "three"])
os.write(2, b"four\\n")
!echo five
print("six", end="")
"seven"
"""
    assert (await run(session, code)).text == "one\ntwo\nthree\nfour\nfive\nsix'seven'\n"


async def test_a_traceback_is_as_ipython_shows_it(session: BoxSession) -> None:
    done = await run(session, "def half(x):\n    return x / 0\nprint('before')\nhalf(1)")

    assert done.outcome is Outcome.RAISED
    assert done.error
    assert (done.error.name, done.error.message) == ("ZeroDivisionError", "division by zero")
    assert "Cell In[1], line 4" in done.error.traceback
    assert "\x1b" not in done.error.traceback
    assert done.text == f"before\n{done.error.traceback}\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("!echo from a shell", "from a shell\n"),
        ("found = !echo one\nfound", "['one']\n"),
        ("%pwd", "'/workspace'\n"),
        ("pwd", "'/workspace'\n"),
        ("%%bash\necho a whole cell", "a whole cell\n"),
        ("In [3]: 1 + 1", "2\n"),
        ("    x = 5\n    x", "5\n"),
        ("import asyncio\nawait asyncio.sleep(0, 'waited for')", "'waited for'\n"),
        ("async def f():\n    return 1\n[await f() for _ in range(2)]", "[1, 1]\n"),
        ("pwd = 3\npwd + 1", "4\n"),
        ("# only a comment", ""),
        ("print('a; b')\n[1, 2];  # of no interest", "a; b\n"),
        ("x = 1; x", "1\n"),
    ],
)
async def test_what_people_know_from_notebooks_works(session: BoxSession, code: str, text: str) -> None:
    done = await run(session, code)

    assert (done.outcome, done.text) == (Outcome.OK, text)


async def test_a_loop_is_stopped_at_its_deadline_and_variables_stay(session: BoxSession) -> None:
    late = await run(session, "x = 5\nwhile True: pass", seconds=0.5)
    after = await run(session, "x")

    assert (late.outcome, late.lost_variables) == (Outcome.TIMED_OUT, None)
    assert 0.5 <= late.seconds < 3
    assert after.text == "5\n"


async def test_code_that_does_not_listen_is_ended_and_says_what_was_lost(session: BoxSession) -> None:
    await run(session, "kept = 1")
    code = """
while True:
    try:
        while True: pass
    except BaseException: pass
"""
    late = await run(session, code, seconds=0.3)
    after = await run(session, "'kept' in dir()")

    assert (late.outcome, late.lost_variables) == (Outcome.TIMED_OUT, ("kept",))
    assert late.seconds < 8
    assert after.text == "False\n"


async def test_a_person_can_interrupt_a_cell(session: BoxSession) -> None:
    running = asyncio.create_task(run(session, "x = 3\nimport time\ntime.sleep(60)"))
    await asyncio.sleep(0.5)
    began = time.monotonic()
    await session.interrupt()
    done = await running

    assert done.outcome is Outcome.INTERRUPTED
    assert time.monotonic() - began < 2
    assert (await run(session, "x")).text == "3\n"


async def test_memory_that_runs_out_has_an_outcome_of_its_own(deployment: Deployment) -> None:
    if deployment.runtime == "runsc":
        pytest.skip("there the container ends with it: see the hostile cases")
    async with deployment.session() as session:
        done = await run(session, "x = 1\na = []\nwhile True: a.append(bytearray(10_000_000))")
        after = await run(session, "print('x' in dir())")

    assert done.outcome is Outcome.OUT_OF_MEMORY
    assert after.text == "False\n"


async def test_a_request_for_too_much_memory_at_once_keeps_the_variables(session: BoxSession) -> None:
    done = await run(session, "import numpy as np; x = 1; np.ones(10**14)")

    assert done.outcome is Outcome.OUT_OF_MEMORY
    assert (await run(session, "x")).text == "1\n"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import os; os.abort()", "signal SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "signal SIGSEGV"),
        ("import os; os.closerange(3, 1000)", "its connection was closed"),
    ],
)
async def test_python_that_ends_itself_says_how(session: BoxSession, code: str, why: str) -> None:
    done = await run(session, f"print('before', flush=True)\n{code}")
    after = await run(session, "print('alive')")

    assert done.outcome is Outcome.RAISED
    assert done.text.startswith("before\n")
    assert why in done.text
    assert after.text == "alive\n"


async def test_sys_exit_ends_the_cell_and_not_the_session(session: BoxSession) -> None:
    await run(session, "x = 2")
    done = await run(session, "import sys; sys.exit(1)")

    assert done.outcome is Outcome.RAISED
    assert (await run(session, "x")).text == "2\n"


async def test_a_figure_is_shown_without_savefig_under_its_title(session: BoxSession) -> None:
    code = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('Umsatz je Monat')\nplt.ylabel('€')"
    )

    done = await run(session, code)

    (chart,) = done.artifacts
    assert (chart.name, chart.media_type) == ("umsatz-je-monat.png", "image/png")
    assert chart.path.read_bytes().startswith(b"\x89PNG")
    assert chart.alt_text == "line chart “Umsatz je Monat”, y: €"
    assert done.text.endswith("[umsatz-je-monat.png]\n")


async def test_a_figure_that_was_saved_comes_once_under_the_name_of_its_file(session: BoxSession) -> None:
    code = "import matplotlib.pyplot as plt\nplt.bar(['a'], [1])\nplt.title('T')\nplt.savefig('bars.png')\nplt.show()"

    done = await run(session, code)

    assert [each.name for each in done.artifacts] == ["bars.png"]
    assert done.artifacts[0].alt_text == "bar chart “T”"
    assert done.text == "[bars.png]\n"


async def test_several_figures_come_in_their_order_each_once(session: BoxSession) -> None:
    code = """
import matplotlib.pyplot as plt
first, _ = plt.subplots()
first.axes[0].plot([1]); first.axes[0].set_title("Same")
plt.figure(); plt.plot([2]); plt.title("Same")
display(first)
first
"""
    done = await run(session, code)

    assert [each.name for each in done.artifacts] == ["same.png", "same (2).png"][: len(done.artifacts)]
    assert len({each.sha256 for each in done.artifacts}) == len(done.artifacts)


async def test_an_image_that_was_saved_comes_once(session: BoxSession) -> None:
    code = "from PIL import Image\nim = Image.new('RGB', (30, 20), 'red')\nim.save('red.png')\nim"

    done = await run(session, code)

    assert [each.name for each in done.artifacts] == ["red.png"]
    assert done.artifacts[0].alt_text == "Image, 30 × 20 pixels"


async def test_a_table_is_text_and_an_interactive_chart_a_page(session: BoxSession) -> None:
    table = await run(session, "import pandas as pd\npd.DataFrame({'a': [1, 2]})")
    page = await run(session, "import plotly.express as px\npx.bar(x=[1], y=[2], title='Bars')")

    assert table.text.split() == ["a", "0", "1", "1", "2"]
    assert table.artifacts == ()
    assert [(each.name, each.media_type) for each in page.artifacts] == [("bars.html", "text/html")]


async def test_files_that_code_leaves_are_artifacts_and_what_came_about_by_the_way_is_not(
    session: BoxSession,
) -> None:
    code = "import os\nos.mkdir('out')\nopen('out/a.csv', 'w').write('a,b')\nopen('.cache', 'w').write('x')"

    done = await run(session, code)
    again = await run(session, "print(open('out/a.csv').read())")

    assert [(each.name, each.workspace_name, each.media_type) for each in done.artifacts] == [
        ("a.csv", "out/a.csv", "text/csv")
    ]
    assert set(done.changed_files) == {".cache", "out/a.csv"}
    assert again.artifacts == ()


async def test_a_flood_of_output_is_cut_with_head_and_tail_kept(session: BoxSession) -> None:
    done = await run(session, "for i in range(50_000): print('line', i)")

    assert done.text.startswith("line 0\nline 1\n")
    assert done.text.endswith("line 49999\n")
    assert "bytes left out" in done.text
    assert len(done.text) < 100_000
    assert any("left out" in note for note in done.notes)


async def test_the_workspace_has_a_hard_quota(session: BoxSession) -> None:
    code = """
try:
    with open("big", "wb") as file:
        for _ in range(200): file.write(bytes(1024 * 1024))
except OSError as error: print(error.strerror)
import os; os.remove("big")
"""
    assert (await run(session, code)).text == "No space left on device\n"


async def test_a_file_that_does_not_fit_is_refused_and_leaves_nothing(
    session: BoxSession, written: Write
) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        await session.put("big.bin", written("big.bin", bytes(70 * MIB)))

    assert refused.value.sentence == "workspace_full"
    assert await session.files() == ()


async def test_files_go_in_and_can_be_listed_and_renamed(session: BoxSession, written: Write) -> None:
    content = bytes(range(256)) * 5000
    await session.put("täglich/ü.bin", written("x", content))
    await session.put("empty", written("y", b""))
    await session.rename("täglich/ü.bin", "z.bin")

    done = await run(session, "import hashlib; print(hashlib.sha256(open('z.bin','rb').read()).hexdigest())")

    assert done.text.strip() == hashlib.sha256(content).hexdigest()
    assert {(each.name, each.size_bytes) for each in await session.files()} == {
        ("empty", 0),
        ("z.bin", len(content)),
    }
    assert done.artifacts == ()


async def test_a_box_has_no_network_no_root_and_no_way_to_write_to_its_system(session: BoxSession) -> None:
    code = """
import os, socket
print(os.getuid() >= 20000, [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line])
for address in (("1.1.1.1", 443), ("169.254.169.254", 80), ("172.17.0.1", 2375)):
    try: socket.create_connection(address, 2); print("CONNECTED")
    except OSError as error: pass
try: socket.getaddrinfo("example.org", 443); print("RESOLVED")
except OSError: pass
print([place for place in ("/", "/usr", "/etc", "/opt", "/opt/plotline") if os.access(place, os.W_OK)])
"""
    done = await run(session, code)

    assert done.text == "True ['lo']\n[]\n"


async def test_nothing_of_the_bots_environment_is_in_a_box(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    async with deployment.session() as session:
        done = await run(session, "import os; print(dict(os.environ)); print(open('/proc/1/cmdline').read())")

    assert "canary" not in done.text
    assert "PLOTLINE" not in done.text


async def test_what_is_typed_cannot_be_asked_for(session: BoxSession) -> None:
    done = await run(session, "input('name?')")

    assert done.error
    assert done.error.name == "EOFError"
    assert "nobody" in done.error.message


async def test_output_is_heard_while_the_cell_runs(session: BoxSession) -> None:
    heard: list[tuple[float, str]] = []
    began = time.monotonic()

    await session.run(
        "print('early')\nimport time\ntime.sleep(1)\nprint('late')",
        cell_id="c",
        seconds=10,
        on_text=lambda text: heard.append((time.monotonic() - began, text)),
    )

    assert "".join(text for _, text in heard) == "early\nlate\n"
    assert heard[0][0] < heard[-1][0] - 0.5


async def test_a_profile_and_a_picture_are_made_in_the_box(session: BoxSession, written: Write) -> None:
    await session.put("t.csv", written("t.csv", b"name,amount\nA,1\nB,2\n"))
    profile = await session.profile("t.csv")
    done = await run(session, "from PIL import Image; Image.new('RGB', (3000, 2000), 'red').save('big.png')")
    picture = await session.picture(done.artifacts[0], 300)

    assert (profile.kind, "amount" in profile.text) == ("table", True)
    assert picture
    assert picture.data.startswith(b"\x89PNG")
    assert int.from_bytes(picture.data[16:20]) == 300


async def test_a_box_that_hears_nobody_ends_by_itself(deployment: Deployment) -> None:
    deployment.limits = deployment.limits.model_copy(update={"idle_seconds": 2})
    async with deployment.session() as session:
        await run(session, "1")
    began = time.monotonic()
    while deployment.containers() and time.monotonic() - began < 20:  # noqa: ASYNC110  # the engine tells nobody
        await asyncio.sleep(0.2)

    assert deployment.containers() == []


async def test_an_idle_box_uses_no_processor(session: BoxSession) -> None:
    code = """
import threading
def spin():
    n = 0
    while True: n += 1
threading.Thread(target=spin, daemon=True).start()
def used(): return sum(map(int, open("/proc/self/stat").read().rsplit(")")[1].split()[11:13]))
print(used())
"""
    await run(session, code)
    await asyncio.sleep(8)

    done = await run(session, "print(used())")

    # Five seconds until it is stopped, and the moments around: in hundredths.
    assert int(done.text) < 700
