"""docs/settings.md, made from the code: `python -m bot.settings_page > docs/settings.md`."""

import sys
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config import NESTED, Settings, variable
from bot.limits import MIB, Limits, for_memory
from bot.rules import BudgetLimits, Rules

SMALL = 2000 * MIB
LARGE = 4000 * MIB

INTRODUCTION = """\
# Settings

Made from the code by `python -m bot.settings_page > docs/settings.md`; a test keeps it current.

Plotline reads its settings from the environment, and from a file `.env` in the current directory, a line
`NAME=value` each; the environment wins. An empty value counts as none, and names that are not listed here are
ignored. A value that cannot be used is answered with a sentence that names it, and exit code 2. A secret may lie in a
file of its own instead, which `NAME_FILE` names in the environment: `OPENAI_API_KEY_FILE=/run/secrets/openai`.
"""

LIMITS = """\
## Bounds

All of them begin with `LIMITS__`, as in `LIMITS__CELL_SECONDS=30`. Sizes are in bytes, times in seconds.
"""

ALLOWED = """\
## Who may use it, and where

All of them begin with `ALLOW__`, as in `ALLOW__SLACK_USERS=U012,U345`: ids as the platform has them, apart by commas.
Whoever manages a Discord server can narrow this for it with `/settings`, and widen nothing.
"""

BUDGETS = """\
## How much may be used

All of them begin with `BUDGETS__`, as in `BUDGETS__USER_USD_A_DAY=2.5`; `none` lifts a limit, `0` allows nothing. What
is about to be used is reserved first: for a reply of the model, what it reads and 8,000 tokens; for a cell, the time
that it may run. A reply that is longer counts in full. A day, a month begins at midnight by `TZ`.
"""

LIBRARIES = """\
## Read by the libraries

From the environment only, not from `.env`:

| Variable | What it does |
|---|---|
| `DOCKER_HOST` | Where the engine is, if not at the usual socket: `unix:///run/user/1000/docker.sock`, `tcp://…` |
| `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID` | Whom OpenAI bills |
| `HTTPS_PROXY`, `NO_PROXY` | The way to the model endpoint, Slack and the bucket for files |
| `SSL_CERT_FILE` | Which authorities to trust on that way |
"""


def page() -> str:
    return "\n".join(
        [
            INTRODUCTION,
            _settings(),
            ALLOWED,
            _nested(Rules),
            BUDGETS,
            _nested(BudgetLimits),
            LIMITS,
            _limits(),
            LIBRARIES,
        ]
    )


def _settings() -> str:
    rows = [
        f"| `{variable(name)}` | {_values(field)} | {_default(field)} | {_described(field)} |"
        for name, field in Settings.model_fields.items()
        if name not in NESTED
    ]
    return "\n".join(["| Variable | Values | Default | What it does |", "|---|---|---|---|", *rows, ""])


def _nested(model: type[BaseModel]) -> str:
    (group,) = [name for name, each in NESTED.items() if each is model]
    rows = [
        f"| `{name.upper()}` | {_plain_default(field)} | {_described(field)} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join([f"| `{group.upper()}__…` | Default | What it does |", "|---|---|---|", *rows, ""])


def _plain_default(field: FieldInfo) -> str:
    match field.default:
        case None:
            return "none"
        case bool(value):
            return "true" if value else "false"
        case int(value) | float(value):
            return str(value)
    return ""


def _limits() -> str:
    small, large = for_memory(SMALL), for_memory(LARGE)
    rows = []
    for name, field in Limits.model_fields.items():
        default, smaller = _bound(name, large), _bound(name, small)
        other = smaller if smaller != default else ""
        rows.append(f"| `{name.upper()}` | {default} | {other} | {_described(field)} |")
    heading = "| `LIMITS__…` | Default with 4 GB of memory | with less | What it bounds |"
    return "\n".join([heading, "|---|---|---|---|", *rows, ""])


def _bound(name: str, limits: Limits) -> str:
    value = getattr(limits, name)
    return f"{value} ({value // MIB} MiB)" if name.endswith("_bytes") else str(value).removesuffix(".0")


def _values(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    types = {field.annotation, *get_args(field.annotation)}
    plain = {get_args(each)[0] if get_origin(each) is Annotated else each for each in types}
    return "number" if int in plain else "path" if Path in plain else "text"


def _default(field: FieldInfo) -> str:
    return f"`{field.default}`" if field.default_factory is None and field.default else ""


def _described(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


if __name__ == "__main__":
    sys.stdout.write(page())
