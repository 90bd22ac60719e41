"""`plotline doctor` as people run it, against a fake endpoint. Engine and image may be there or not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.probes import CLOSED
from tests.cli.conftest import Finished, Program
from tests.fakes.openai_models import LittleModel
from tests.fakes.openai_server import OpenAIServer

KEY = "sk-not-for-anyone"


@pytest.fixture
def endpoint(plotline: Program) -> Iterator[OpenAIServer]:
    server = OpenAIServer(otherwise=LittleModel(), key=KEY, models=[{"id": "little"}])
    with server.serving_others():
        plotline.env |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}
        yield server
    assert server.complaints == []


def checks(done: Finished) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in done.json}


def test_all_is_tried_out_and_told_in_objects_of_a_fixed_shape(
    plotline: Program, endpoint: OpenAIServer, tmp_path: Path
) -> None:
    done = plotline.run("doctor", "--json")

    assert all(set(each) == {"check", "ok", "detail", "mend"} for each in done.json)
    assert all(bool(each["mend"]) != each["ok"] for each in done.json)
    assert done.code == (0 if all(each["ok"] for each in done.json) else 3)
    assert done.stderr == ""
    found = checks(done)
    assert all(
        found[name]["ok"] for name in ("memory", "data", "privacy", "model", "tools", "images", "window")
    )
    assert "little" in found["model"]["detail"]
    remembered = json.loads((tmp_path / "data" / "endpoints.json").read_text())
    assert remembered[f"{endpoint.url} little"]["window_tokens"] == 32_768


@pytest.mark.docker
def test_engine_and_image_are_tried_out(plotline: Program, endpoint: OpenAIServer) -> None:
    found = checks(plotline.run("doctor", "--json"))

    assert all(found[name]["ok"] for name in ("engine", "runtime", "limits", "cell"))


@pytest.mark.docker
def test_ways_out_of_a_container_are_tried_on_the_engine(plotline: Program) -> None:
    found = checks(plotline.run("doctor", "--sandbox", "--json"))

    assert set(found) >= {"cell", *CLOSED, "warning"}
    assert [name for name in CLOSED if not found[name]["ok"]] == []
    assert "gVisor" in found["warning"]["detail"]
    assert "model" not in found


@pytest.mark.docker
def test_people_get_a_line_for_each_way_out_and_a_warning(plotline: Program) -> None:
    done = plotline.run("doctor", "--sandbox")

    assert [line for line in done.stdout.splitlines() if line.startswith("✗") and "image" not in line] == []
    assert "✓ network  No address answers and no name is known." in done.stdout
    assert "! warning" in done.stdout


@pytest.mark.docker
@pytest.mark.gvisor
def test_gvisor_needs_no_warning(plotline: Program) -> None:
    plotline.env["SANDBOX_RUNTIME"] = "runsc"
    found = checks(plotline.run("doctor", "--sandbox", "--json"))

    assert "warning" not in found
    # The one that old versions leave open, with what mends it.
    assert {name for name in CLOSED if not found[name]["ok"]} <= {"channel"}
    assert found["channel"]["ok"] or "gVisor" in found["channel"]["mend"]


def test_people_get_a_list(plotline: Program, endpoint: OpenAIServer) -> None:
    done = plotline.run("doctor")

    assert "✓ tools" in done.stdout
    assert "✓ privacy" in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_what_is_wrong_stands_beside_what_mends_it(plotline: Program, endpoint: OpenAIServer) -> None:
    endpoint.otherwise = LittleModel(window_tokens=4096, calls_tools=False)

    done = plotline.run("doctor", "--json")

    assert done.code == 3
    assert "MODEL_NAME" in checks(done)["tools"]["mend"]
    assert "OLLAMA_CONTEXT_LENGTH" in checks(done)["window"]["mend"]


def test_a_wrong_key_is_named_but_not_shown(plotline: Program, endpoint: OpenAIServer) -> None:
    plotline.env["OPENAI_API_KEY"] = "sk-mistyped"

    done = plotline.run("doctor", "--json")

    assert done.code == 3
    assert checks(done)["model"]["mend"] == "set OPENAI_API_KEY"
    assert "sk-" not in done.stdout + done.stderr


def test_without_an_endpoint_it_says_what_to_set(plotline: Program) -> None:
    done = plotline.run("doctor", "--json")

    assert done.code == 3
    assert "OPENAI_API_KEY" in checks(done)["model"]["mend"]


def test_a_script_needs_no_endpoint(plotline: Program) -> None:
    plotline.env["MODEL_SCRIPT"] = str(plotline.write("script.md", "## hello\n\nHi.\n"))

    found = checks(plotline.run("doctor", "--json"))

    assert found["model"]["ok"]
    assert "Nothing leaves this machine" in found["privacy"]["detail"]


def test_a_question_without_files_needs_a_model_and_no_container(
    plotline: Program, endpoint: OpenAIServer
) -> None:
    plotline.env["DOCKER_HOST"] = "unix:///nowhere"

    done = plotline.run("ask", "Are you there?", "--json")

    assert (done.code, done.json["status"], done.json["text"]) == (0, "ok", "Fine.")
    assert "Are you there?" in json.dumps(endpoint.bodies[-1])
    assert KEY not in done.stdout + done.stderr


def test_a_question_ends_with_3_where_the_key_is_wrong(plotline: Program, endpoint: OpenAIServer) -> None:
    plotline.env["OPENAI_API_KEY"] = "sk-mistyped"

    done = plotline.run("ask", "Are you there?", "--json")

    assert (done.code, done.json["status"]) == (3, "error")
    assert "sk-" not in done.stdout + done.stderr
