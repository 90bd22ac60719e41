"""The demo as people start it, with a script in the model's place: the pixels and numbers that come of it."""

import asyncio
import csv
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings, deployment
from bot.models.scripted import ScriptedModel
from bot.ports import Request
from bot.tools import RUN_PYTHON
from bot.transcript import Entry, Prompt, Reply, ToolResult
from examples import demo
from examples.tasks import TASKS
from tests.fakes.openai_answers import Calls, Json, Says
from tests.fakes.openai_server import OpenAIServer
from tests.guest.box import ROOT, Box, open_box

SAMPLES = ROOT / "examples"
OUT = Path("plotline-out/demo")


@dataclass(frozen=True)
class Played:
    """One run of the program, over."""

    code: int
    stdout: str
    stderr: str
    directory: Path

    def answer(self, number: int) -> str:
        """What stands below the task's question."""
        _, _, after = self.stdout.partition(f"> {TASKS[number].question}")
        return after.partition("\n")[2].split("\n> ")[0].split("\n✓")[0].strip()


def play(directory: Path, **env: str) -> Played:
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
    data_dir = directory / "data"
    ours = {"HOME": str(directory), "DATA_DIR": str(data_dir), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "examples.demo"],
            cwd=directory,
            env={**kept, **ours, **env},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    finally:
        _remove_boxes(data_dir)
    return Played(ended.returncode, ended.stdout, ended.stderr, directory)


def _remove_boxes(data_dir: Path) -> None:
    ours = f"label=plotline.deployment={deployment(data_dir)}"
    listed = subprocess.run(["docker", "ps", "-aq", "-f", ours], check=True, capture_output=True, text=True)
    if listed.stdout:
        subprocess.run(["docker", "rm", "-f", *listed.stdout.split()], check=True, capture_output=True)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def box(played: Played) -> Iterator[Box]:
    """A container with the sample files and all that the demo made of them: files are decoded nowhere else."""
    with open_box() as opened:
        for path in (*SAMPLES.glob("*.*"), *(played.directory / OUT).iterdir()):
            opened.write(path.name, path.read_bytes())
        yield opened


LOADING = """
import numpy as np
from PIL import Image

def rgb(name):
    return np.asarray(Image.open(name).convert("RGB"), int)
"""


def pixels(box: Box, name: str, expression: str) -> Any:
    """An expression over `p`: rows of columns of red, green and blue."""
    return box.run(f"{LOADING}\np = rgb({name!r})\nvalue = {expression}")


@pytest.mark.docker
def test_it_ends_well_and_says_so_of_each_task(played: Played) -> None:
    assert played.stderr == ""
    assert played.code == 0
    assert [f"✓ {task.title}" in played.stdout for task in TASKS] == [True] * 5
    assert f"The files are in {OUT}." in played.stdout


@pytest.mark.docker
def test_its_first_line_says_that_a_script_plays_the_models_part(played: Played) -> None:
    first = played.stdout.splitlines()[0]

    assert first.startswith("A script plays the model's part (demo.md), and nothing is sent anywhere")


@pytest.mark.docker
def test_a_plain_question_gets_text(played: Played) -> None:
    assert played.answer(0).startswith("The **mean** adds all values up")


@pytest.mark.docker
def test_the_answer_about_sales_holds_the_numbers_of_the_file(played: Played) -> None:
    sums: dict[str, dict[str, float]] = {name: defaultdict(float) for name in ("date", "region", "product")}
    there: dict[str, float] = defaultdict(float)
    with (SAMPLES / "sales.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            revenue = float(row["revenue"])
            sums["date"][row["date"][5:7]] += revenue
            sums["region"][row["region"]] += revenue
            sums["product"][row["product"]] += revenue
            if row["region"] == "South":
                there[row["product"]] += revenue
    total = sum(sums["region"].values())
    (month, in_month), (region, in_region), (product, of_product) = (
        max(each.items(), key=lambda item: item[1]) for each in sums.values()
    )

    assert (month, region) == ("10", "South")
    assert played.answer(1).startswith(
        f"The orders of 2025 brought in **{total:,.0f} €**.\n\n"
        f"- Best month: **October**, with {in_month:,.0f} €; August was the weakest.\n"
        f"- Best region: **South**, with {in_region / total:.0%} of all revenue.\n"
        f"- Best product: **{product}**, with {of_product:,.0f} €.\n"
    )
    best_there = max(there, key=lambda name: there[name])
    assert played.answer(2).startswith(
        f"In South, **{best_there}** earned the most: {there[best_there]:,.0f} €, which is "
    )


@pytest.mark.docker
def test_the_chart_has_three_panels_and_fits_a_phone(played: Played, box: Box) -> None:
    made = {path.name for path in (played.directory / OUT).iterdir()}
    (chart,) = made - {"poster-half-inverted.png"} - _scenes()
    # Each panel stands on an axis: a long dark line across most of the picture.
    axes = "int(np.diff((((p < 60).all(2).mean(1)) > 0.6).astype(int), prepend=0).clip(0).sum())"

    height, width, _ = pixels(box, chart, "p.shape")

    assert pixels(box, chart, axes) == 3
    assert 800 <= width <= 1400
    assert height > width
    assert pixels(box, chart, "int((p[0] < 250).sum() + (p[-1] < 250).sum())") == 0
    assert "Three panels" in played.answer(1)


@pytest.mark.docker
def test_the_right_half_of_the_picture_is_inverted_and_the_left_one_is_not(played: Played, box: Box) -> None:
    name = "poster-half-inverted.png"

    assert pixels(box, name, "list(p.shape)") == [640, 960, 3]
    assert pixels(box, name, "bool((p[:, :480] == rgb('poster.png')[:, :480]).all())")
    assert pixels(box, name, "bool((p[:, 480:] == 255 - rgb('poster.png')[:, 480:]).all())")
    assert pixels(box, name, "p[0, 0].tolist()") == [0xF9, 0x84, 0x5A]
    assert "**coral**, `#f9845a`" in played.answer(3)


@pytest.mark.docker
def test_each_scene_of_the_video_is_shown_once(played: Played, box: Box) -> None:
    means = [pixels(box, name, "p.mean((0, 1)).round().tolist()") for name in sorted(_scenes())]
    night, sea, desert = means

    assert max(night) == night[2] < 80
    assert min(sea) == sea[0] > 80
    assert max(desert) == desert[0] > 150
    assert played.answer(4).startswith(
        "The clip has **3 scenes** in 6.0 seconds, with cuts at 2.0 and 3.5 s."
    )


def _scenes() -> set[str]:
    return {f"scene-{number}.png" for number in (1, 2, 3)}


@pytest.mark.docker
def test_wrong_answers_are_told_and_end_it_with_a_code(tmp_path: Path) -> None:
    (tmp_path / "wrong.md").write_text("## mean\n\nNo idea.\n\n## month\n\nOctober, South, Espresso.")

    ended = play(tmp_path, MODEL_SCRIPT="wrong.md")

    assert ended.code == 1
    assert "✓" not in ended.stdout
    assert f"✗ {TASKS[1].title}" in ended.stdout
    assert "0 panels instead of several" in ended.stdout


def by_the_script(body: Json) -> Says:
    """What the script says to a request in the format of Chat Completions."""
    entries = [entry for message in body["messages"] if (entry := _entry(message))]
    reply = ScriptedModel.load(demo.SCRIPT, pause_seconds=0).reply(
        Request("", entries, (RUN_PYTHON,)), lambda _: None
    )
    # The server's thread has a loop already.
    with ThreadPoolExecutor() as threads:
        said = threads.submit(asyncio.run, reply).result()
    return Says(said.text, tuple(Calls("", call.id, arguments=call.arguments) for call in said.tool_calls))


def _entry(message: Json) -> Entry | None:
    match message["role"]:
        case "user":
            return Prompt(str(message["content"]))
        case "assistant":
            return Reply(message["content"] or "")
        case "tool":
            return ToolResult(message["tool_call_id"], message["content"])
    return None


@pytest.mark.docker
def test_a_model_at_an_endpoint_is_asked_and_judged_alike(tmp_path: Path) -> None:
    server = OpenAIServer(otherwise=by_the_script, formats=("chat",), models=[{"id": "local"}])

    with server.serving_others():
        ended = play(tmp_path, OPENAI_BASE_URL=server.url, MODEL_IMAGES="off")

    assert ended.stdout.startswith("A real model answers, at 127.0.0.1")
    assert ended.stdout.count("✓") == len(TASKS)
    assert ended.code == 0
    assert server.complaints == []


@pytest.mark.docker
def test_without_an_engine_it_says_what_is_missing(tmp_path: Path) -> None:
    ended = play(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/nothing.sock")

    assert ended.code == 3
    assert ended.stderr.splitlines()[-1].startswith("demo: Code cannot run here yet.")
    assert "Traceback" not in ended.stderr
    assert TASKS[1].question in ended.stdout
    assert TASKS[2].question not in ended.stdout


@pytest.mark.parametrize("given", [{"openai_api_key": "k"}, {"openai_base_url": "http://models.example/v1"}])
def test_a_configured_model_is_asked(given: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL_SCRIPT"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(_env_file=None, **given)  # type: ignore[call-arg]  # an argument of the library's

    assert demo.with_a_model(settings) is settings
    assert demo.who_answers(settings).startswith(f"A real model answers, at {settings.endpoint_host}")


def test_nobody_waits_for_libraries_that_the_script_does_not_need() -> None:
    loads = "import sys, examples.conversation; print({'openai', 'httpx', 'aiohttp'} & set(sys.modules))"

    shown = subprocess.run(
        [sys.executable, "-c", loads], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert shown.stdout.strip() == "set()"
