"""`plotline doctor`: what is missing, and the command that mends it."""

import argparse
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

import bot
from bot import doctor
from bot.checks import Check
from bot.cli import platform_checks, results
from bot.cli.ending import Code
from bot.cli.parts import open_model
from bot.config import Settings
from bot.errors import ModelError
from bot.models import checks as models_checks
from bot.models.endpoint import Endpoint
from sandbox import doctor as sandbox_doctor
from sandbox.probes import SHARED_KERNEL

NO_MODEL_MEND = (
    "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own, in the environment or in .env"
)

WARNING = "warning"
"""The name of what is as it was set, and yet should be known."""

ROOT = Path(bot.__file__).parents[1]
"""Where the sandbox image's sources are, in a checkout."""


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    console = Console(quiet=arguments.json, highlight=False)
    checks: list[Check] = []

    def found(check: Check) -> None:
        checks.append(check)
        _show(console, check)

    await _check_sandbox(settings, found)
    if arguments.sandbox:
        if any(each.name == "cell" and each.ok for each in checks):
            await _try_ways_out(settings, found)
    else:
        found(doctor.memory(settings))
        found(doctor.data_dir(settings))
        await _check_model(settings, found)
        async for check in platform_checks.checks(settings, arguments.channel or ""):
            found(check)
    if arguments.json:
        results.write(
            [{"check": each.name, "ok": each.ok, "detail": each.detail, "mend": each.mend} for each in checks]
        )
    return Code.OK if all(each.ok for each in checks) else Code.NOT_SET_UP


async def _check_sandbox(settings: Settings, found: Callable[[Check], None]) -> None:
    for check in await sandbox_doctor.checks(
        image=settings.sandbox_image,
        runtime=settings.sandbox_runtime,
        source_hash=doctor.source_hash(ROOT),
    ):
        found(check)


async def _try_ways_out(settings: Settings, found: Callable[[Check], None]) -> None:
    async for check in sandbox_doctor.ways_out(
        image=settings.sandbox_image, runtime=settings.sandbox_runtime
    ):
        found(check)
    if settings.sandbox_runtime == "runc":
        found(Check(WARNING, True, SHARED_KERNEL))


async def _check_model(settings: Settings, found: Callable[[Check], None]) -> None:
    if not (settings.model_script or settings.has_endpoint):
        found(Check("model", False, "No language model is configured.", NO_MODEL_MEND))
        return
    found(doctor.endpoint_reads(settings))
    try:
        async with open_model(settings) as model:
            if isinstance(model, Endpoint):
                async for check in models_checks.checks(model, settings):
                    found(check)
            else:
                found(Check("model", True, "A script plays the model's part (MODEL_SCRIPT)."))
    except ModelError as error:
        found(models_checks.of_error(error, settings))


def _show(console: Console, check: Check) -> None:
    # As text, not as markup: a detail may hold brackets.
    line = Table.grid(Column(width=1), Column(width=8, style="bold"), Column(), padding=(0, 1))
    sign = Text("✓", "green") if check.ok else Text("✗", "red")
    if check.name == WARNING or (check.ok and check.mend):
        sign = Text("!", "yellow")
    line.add_row(sign, Text(check.name), Text(check.detail))
    console.print(line)
    if check.mend:
        # On one line however long it is, so that it can be copied.
        console.print(Text(f"{'':11}▸ {check.mend}", "yellow"), soft_wrap=True)
