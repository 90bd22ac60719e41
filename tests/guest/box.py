"""Jobs in the real image: one container that answers requests on its stdin, for the tests of a module."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

IMAGE = "plotline-sandbox:core"
ROOT = Path(__file__).parents[2]
FOLDERS = (
    "--volume",
    f"{ROOT / 'sandbox'}:/opt/plotline/sandbox:ro",
    "--volume",
    f"{ROOT / 'tests/data'}:/data:ro",
)
LIMITS = (
    "--network",
    "none",
    "--read-only",
    "--cap-drop",
    "ALL",
    "--memory",
    "1g",
    "--cpus",
    "1",
    "--user",
    "20001",
)
SPACE = ("--tmpfs", "/tmp:size=64m,mode=1777", "--tmpfs", "/workspace:size=256m,mode=0700,uid=20001")
LOOP = """
import base64, importlib, io, json, os, sys, time, traceback
sys.path.insert(0, "/opt/plotline")
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    request = json.loads(line)
    began = time.monotonic()
    try:
        if "code" in request:
            os.chdir(request["folder"])
            names = {}
            exec(request["code"], names)
            answer = {"value": names["value"]}
        elif "write" in request:
            with open(os.path.join("/workspace", request["write"]), "wb") as file:
                file.write(base64.b64decode(request["data"]))
            answer = {}
        else:
            job = importlib.import_module("sandbox.guest.jobs." + request["job"])
            output = job.run(request["args"], base64.b64decode(request["data"]))
            answer = {"output": base64.b64encode(output).decode()}
    except Exception as error:
        answer = {"failed": "".join(traceback.format_exception(error))}
    answer["seconds"] = time.monotonic() - began
    print(json.dumps(answer), file=answers, flush=True)
"""


class JobFailed(Exception):
    """The traceback, as the job runner would see it."""


class Box:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.seconds = 0.0
        """What the last request took inside."""

    def profile(self, name: str, folder: str = "/data/tables") -> dict[str, str]:
        found: dict[str, str] = json.loads(self._job("profile", {"name": name, "folder": folder}))
        return found

    def profile_of(self, name: str, content: bytes) -> dict[str, str]:
        self.write(name, content)
        return self.profile(name, "/workspace")

    def picture(self, content: bytes, longest_side: int = 1024) -> bytes:
        return self._job("picture", {"longest_side": longest_side}, content)

    def write(self, name: str, content: bytes) -> None:
        self._ask({"write": name, "data": base64.b64encode(content).decode()})

    def clear(self) -> None:
        """Leave no file in the workspace, which is small."""
        self.run("import os\nfor name in os.listdir('.'): os.remove(name)\nvalue = None")

    def run(self, code: str, folder: str = "/workspace") -> Any:
        """What `value` is afterwards, as far as JSON holds it."""
        return self._ask({"code": code, "folder": folder})["value"]

    def _job(self, job: str, args: dict[str, Any], data: bytes = b"") -> bytes:
        answer = self._ask({"job": job, "args": args, "data": base64.b64encode(data).decode()})
        return base64.b64decode(answer["output"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the container ended"
        answer: dict[str, Any] = json.loads(line)
        self.seconds = answer["seconds"]
        if "failed" in answer:
            raise JobFailed(answer["failed"])
        return answer


@contextmanager
def open_box() -> Iterator[Box]:
    command = ["docker", "run", "--rm", "--interactive", *LIMITS, *SPACE, *FOLDERS]
    command += ["--entrypoint", "/opt/python/bin/python", IMAGE, "-I", "-c", LOOP]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            yield Box(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=30)
