"""`plotline pause`, `resume`, `block`, `unblock`: the real program, beside a store that others work with."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Program, plotline
from tests.store.postgres import Cluster

__all__ = ["plotline"]


def test_a_pause_holds_until_it_is_ended(plotline: Program) -> None:
    assert plotline.run("pause").stdout == "Paused. To go on: plotline resume\n"

    again = plotline.run("pause", "--silent", "--json")

    assert again.json == {"status": "ok", "paused": True, "silent": True, "stopped": []}
    assert plotline.run("resume", "--json").json == {"status": "ok", "paused": False, "was_paused": True}
    assert plotline.run("resume").stdout == "It was not paused.\n"


@pytest.mark.parametrize(
    ("given", "blocked"),
    [("U012", "U012"), ("<@U012>", "U012"), ("<@!99>", "99"), ("slack:T1/U012", "slack:T1/U012")],
)
def test_somebody_is_blocked_by_the_id_that_the_platform_shows(
    plotline: Program, given: str, blocked: str
) -> None:
    assert plotline.run("block", given).stdout == f"{blocked} is blocked.\n"
    assert plotline.run("unblock", given, "--json").json == {"status": "ok", "blocked": []}


def test_who_is_blocked_is_listed(plotline: Program) -> None:
    assert plotline.run("block").stdout == "Nobody is blocked.\n"

    plotline.run("block", "slack:T1/U012")

    assert plotline.run("block").stdout == "slack:T1/U012\n"


def test_whoever_was_not_blocked_is_named(plotline: Program) -> None:
    done = plotline.run("unblock", "U9")
    as_json = plotline.run("unblock", "U9", "--json")

    assert (done.code, as_json.code) == (2, 2)
    assert done.stderr == (
        "plotline: U9 was not blocked: `plotline block` lists who is, and by which name.\n"
    )
    assert as_json.json["status"] == "error"


@pytest.mark.parametrize("given", [["block", "two words"], ["unblock"], ["block", ""], ["pause", "U1"]])
def test_what_cannot_be_meant_is_refused(plotline: Program, given: list[str]) -> None:
    assert plotline.run(*given).code == 2


def test_it_works_on_postgres_too(plotline: Program, postgres: Cluster, tmp_path: Path) -> None:
    plotline.env["DATABASE_URL"] = postgres.new_database()

    assert plotline.run("pause", "--now", "--json").json["paused"] is True
    assert plotline.run("block", "U1", "--json").json["blocked"] == ["U1"]
    assert json.loads(plotline.run("resume", "--json").stdout)["was_paused"] is True
