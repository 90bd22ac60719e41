"""The file in which variables are saved, made or obstructed by the code itself."""

import asyncio
import pickle

import pytest

from bot.execution import Outcome
from bot.messages import ThreadId
from tests.sandbox.conftest import Deployment, docker, run

pytestmark = [pytest.mark.docker, pytest.mark.chaos]

ONE, TWO = ThreadId("test:T1/C1/1"), ThreadId("test:T1/C1/2")


class _Ends:
    def __reduce__(self) -> tuple[object, ...]:
        return exit, (3,)


def _record(name: object, kind: str, content: object) -> bytes:
    record = pickle.dumps((name, kind, content))
    return len(record).to_bytes(8, "big") + record


FORGED = {
    "garbage": b"\xff" * 1000,
    "endless": (2**63).to_bytes(8, "big") + b"x",
    "cut off": _record("x", "value", pickle.dumps(1))[:-3],
    "no record": _record("x", "value", b"")[:8] + pickle.dumps(5),
    "a value that ends Python": _record("x", "value", pickle.dumps(_Ends())),
    "names of others": _record("print", "value", pickle.dumps(None)) + _record(5, "value", pickle.dumps(1)),
}


@pytest.mark.parametrize("content", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_file_is_not_taken_for_saved_variables(deployment: Deployment, content: bytes) -> None:
    async with deployment.session() as session:
        await run(session, f"canary = 1; open('.plotline-variables', 'wb').write({content!r})")
        await asyncio.to_thread(docker, "rm", "-f", *deployment.containers())
        after = await run(session, "print('canary' in dir(), 6 * 7)")

    assert (after.outcome, after.text) == (Outcome.OK, "False 42\n")
    assert after.lost_variables == ("canary",)


IN_THE_WAY = {
    "a pipe": "import os; os.mkfifo('.plotline-variables')",
    "a link": "import os; os.symlink('/tmp/elsewhere', '.plotline-variables')",
    "a closed file": "import os; n = '.plotline-variables'; open(n, 'w').close(); os.chmod(n, 0)",
    "a link to a device": "import os; os.symlink('/dev/full', '.plotline-variables')",
}


@pytest.mark.parametrize("code", IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
async def test_variables_are_saved_whatever_is_in_the_way(deployment: Deployment, code: str) -> None:
    deployment.limits = deployment.limits.model_copy(update={"sessions": 1})
    async with deployment.opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(one, f"canary = 1\n{code}")
        async with sandbox.session(TWO) as two:
            await run(two, "1")
        async with sandbox.session(ONE) as again:
            after = await run(again, "print(canary)")

    assert after.text == "1\n"


async def test_variables_that_cannot_be_saved_are_named(deployment: Deployment) -> None:
    deployment.limits = deployment.limits.model_copy(update={"sessions": 1})
    async with deployment.opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(one, "canary = 1\nimport os; os.makedirs('.plotline-variables/x')")
        async with sandbox.session(TWO) as two:
            await run(two, "1")
        async with sandbox.session(ONE) as again:
            lost = again.lost_variables
            after = await run(again, "print('canary' in dir(), 6 * 7)")

    assert after.text == "False 42\n"
    assert lost
    assert "canary" in lost


HOSTILE_VALUES = """
class Ends:
    def __reduce__(self):
        import os; os._exit(3)
class Loads:
    def __reduce__(self): return eval, ("__import__('os')._exit(4)",)
class Raises:
    def __reduce__(self): raise SystemExit
class Waits:
    def __reduce__(self):
        while True: pass
canary = 1
"""


@pytest.mark.parametrize("value", ["Ends()", "Loads()", "Raises()"])
async def test_values_that_do_harm_when_they_are_saved_or_loaded_cost_variables_and_nothing_else(
    deployment: Deployment, value: str
) -> None:
    deployment.limits = deployment.limits.model_copy(update={"sessions": 1})
    async with deployment.opened() as sandbox:
        async with sandbox.session(ONE) as one:
            await run(one, f"{HOSTILE_VALUES}value = {value}\nopen('f', 'w').write('kept')")
        async with sandbox.session(TWO) as two:
            await run(two, "1")
        async with sandbox.session(ONE) as again:
            lost = again.lost_variables
            after = await run(again, "print('value' in dir(), open('f').read())")

    assert (after.outcome, after.text) == (Outcome.OK, "False kept\n")
    assert lost
    assert "value" in lost
