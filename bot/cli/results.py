"""What `--json` prints. Others script against these shapes: names are only ever added."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.installing import COMMANDS as INSTALLING
from bot.cli.operating import COMMANDS as OPERATING
from bot.execution import Artifact, Execution

if TYPE_CHECKING:  # for help, this module must be cheap
    from bot.turn import TurnResult

Json = dict[str, Any]

SWITCHES = frozenset({"pause", "resume", "block", "unblock"})
"""Commands whose result is a few facts."""


def write(result: object) -> None:
    sys.stdout.write(json.dumps(result) + "\n")


def turn(result: "TurnResult", saved: Mapping[str, Path]) -> Json:
    return {
        "status": result.status,
        "text": result.text,
        "artifacts": [_artifact(each, saved) for each in result.artifacts],
        "cells": [
            {"code": code, "outcome": each.outcome, "text": each.text, "seconds": round(each.seconds, 6)}
            for code, each in result.cells
        ],
        "usage": {
            "input_tokens": result.usage.input_tokens,
            "output_tokens": result.usage.output_tokens,
            "cost_usd": result.cost_usd,
        },
        "seconds": round(result.seconds, 3),
    }


def cells(executions: Sequence[Execution], saved: Sequence[Mapping[str, Path]]) -> Json:
    """The last cell, and those before it; `saved` has the copies of each one's artifacts by name."""
    *earlier, last = (_cell(each, paths) for each, paths in zip(executions, saved, strict=True))
    return {**last, "cells": earlier}


def nothing_done(command: str, sentence: str) -> Json | list[Json]:
    """The same shapes for a program that ended before it did anything."""
    if command == "doctor":
        return [{"check": "settings", "ok": False, "detail": sentence, "mend": ""}]
    if command in SWITCHES | INSTALLING | OPERATING:
        return {"status": "error", "text": sentence}
    nothing: Json = {"status": "error", "text": sentence, "artifacts": [], "cells": [], "seconds": 0.0}
    if command == "exec":
        return nothing | {"outcome": None, "error": None}
    return nothing | {"usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": None}}


def _cell(execution: Execution, saved: Mapping[str, Path]) -> Json:
    error = execution.error
    return {
        "outcome": execution.outcome,
        "text": execution.text,
        "error": {"name": error.name, "message": error.message, "traceback": error.traceback}
        if error
        else None,
        "artifacts": [_artifact(each, saved) for each in execution.artifacts],
        "seconds": round(execution.seconds, 6),
    }


def _artifact(artifact: Artifact, saved: Mapping[str, Path]) -> Json:
    return {
        "name": artifact.name,
        "media_type": artifact.media_type,
        "size_bytes": artifact.size_bytes,
        "path": str(saved[artifact.name].absolute()),
        "alt_text": artifact.alt_text,
    }
