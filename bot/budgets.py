"""How much of everything each person, team and the whole installation may use, and what is left of it.

A day and a month begin at midnight by the operator's clock (the setting TZ). What is about to be used is reserved
first, in the day in which it begins, and settled with the step that used it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.folders import team_of
from bot.policy import Narrowed, Refusal, Rule, narrowed_from, settings_name
from bot.rules import PERIODS, BudgetLimits, What, Whose
from bot.store.budgets import NOW, Accounts, Full, Line, Moment
from bot.store.fence import Hold
from bot.store.steps import Also
from bot.store.switches import Switches
from bot.store.usage import Payer

log = structlog.get_logger()

Amounts = Mapping[What, float]

WHATS: tuple[What, ...] = ("turns", "tokens", "usd", "seconds")
UNCHANGED = Narrowed()
RUNNING, ASKED = "running", "asked"
CONSOLE = "console"
"""Whoever sits at the machine is bounded by what all may use together, and by nothing else."""
KEPT_DAYS = 62
"""How long accounts of days and months that are over stay."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is used of one limit, reservations included."""

    whose: Whose
    what: What
    used: float
    most: float | None
    until: datetime
    """When it starts anew."""


class Budgets:
    def __init__(
        self,
        accounts: Accounts,
        switches: Switches,
        limits: BudgetLimits,
        zone: ZoneInfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._switches = switches
        self._limits = limits
        self._zone = zone
        self._clock = clock

    async def begin(self, payer: Payer, narrowed: Narrowed = UNCHANGED) -> Refusal | None:
        """Counts a turn before it is taken in, once, whatever comes twice."""
        lines = self._lines(payer, {"turns": 1}, {"turns": 1}, narrowed)
        full = await self._accounts.begin(payer.turn, payer.thread, lines, self._between(payer))
        return self._refusal(full) if full else None

    async def reserve(  # noqa: PLR0913, PLR0917  # on whose account, for what, how much
        self,
        payer: Payer,
        hold: Hold,
        step: str,
        amounts: Amounts,
        least: Amounts,
        narrowed: Narrowed = UNCHANGED,
        also: Also | None = None,
    ) -> Refusal | None:
        """`least` is what stays counted of it when the turn ends before the step is recorded.

        `also` is written with it, unless it is refused. Raises `Fenced`.
        """
        lines = self._lines(payer, amounts, least, narrowed)
        full = await self._accounts.reserve(hold, step, lines, also)
        return self._refusal(full) if full else None

    def settled(self, payer: Payer, step: str, spent: Amounts) -> Also:
        """Writes along with the step what it has really used."""
        return self._accounts.settled(payer.turn, step, self._lines(payer, spent, {}, Narrowed()))

    async def release(self, turn: str, step: str) -> None:
        """The step has failed, and used nothing."""
        await self._accounts.release(turn, step)

    def closed(self, turn: str) -> Also:
        """Writes along with the turn's end, or where it waits for people."""
        return self._accounts.closed(turn)

    def bounds_running(self, payer: Payer) -> bool:
        """Whether a turn counts as running until it is closed."""
        return bool(self._limits.running(_platform(payer)))

    async def tidy(self) -> None:
        """Once a day or so: what ended turns have left, and accounts of long ago."""
        await self._accounts.close_ended()
        oldest = self._clock().astimezone(self._zone) - timedelta(days=KEPT_DAYS)
        await self._accounts.drop_before(f"{oldest:%Y-%m}")

    async def standings(self, payer: Payer) -> list[Standing]:
        """What somebody has used, and what is left for them."""
        await self._accounts.close_ended()
        amounts: dict[What, float] = dict.fromkeys(WHATS, 0.0)
        lines = self._lines(payer, amounts, {}, await self.narrowed(payer))
        held = await self._accounts.held([line.key for line in lines])
        return [
            Standing(
                _whose(line.scope),
                _what(line.what),
                held.get(line.key, 0),
                line.most,
                self._ends(line.period),
            )
            for line in lines
        ]

    async def narrowed(self, payer: Payer) -> Narrowed:
        """What whoever manages their team or guild has decided for it."""
        if _platform(payer) == CONSOLE:
            return Narrowed()
        name = settings_name(team_of(payer.thread))
        return narrowed_from((await self._switches.values([name])).get(name))

    def _lines(self, payer: Payer, amounts: Amounts, least: Amounts, narrowed: Narrowed) -> list[Line]:
        now = self._clock().astimezone(self._zone)
        return [
            Line(
                _scope(payer, whose),
                f"{now:%Y-%m-%d}" if PERIODS[whose] == "day" else f"{now:%Y-%m}",
                what,
                amount,
                least.get(what, 0),
                self._most(whose, what, narrowed),
            )
            for whose in _payers(payer)
            for what, amount in amounts.items()
        ]

    def _most(self, whose: Whose, what: What, narrowed: Narrowed) -> float | None:
        limits = [self._limits.most(whose, what), narrowed.a_day.get(what) if whose == "user" else None]
        return min((each for each in limits if each is not None), default=None)

    def _between(self, payer: Payer) -> list[Line | Moment]:
        """What one person's turns have to keep to among each other."""
        platform, scope = _platform(payer), _scope(payer, "user")
        between: list[Line | Moment] = []
        if running := self._limits.running(platform):
            between.append(Line(scope, NOW, RUNNING, 1, most=running))
        if seconds := self._limits.cooldown_seconds(platform):
            between.append(Moment(scope, ASKED, self._clock().timestamp(), seconds))
        return between

    def _refusal(self, full: Full) -> Refusal:
        line = full.line
        if isinstance(line, Moment):
            seconds = max(1, round(full.held + line.apart_seconds - line.at))
            again = self._clock() + timedelta(seconds=seconds)
            return Refusal(Rule.COOLDOWN, "policy_cooldown", {"seconds": seconds}, again)
        most = line.most or 0
        if line.what == RUNNING:
            return Refusal(Rule.RUNNING, "policy_running", {"limit": most})
        sentence = f"budget_{_whose(line.scope)}_{line.what}"
        return Refusal(Rule.BUDGET, sentence, {"limit": most}, self._ends(line.period))

    def _ends(self, period: str) -> datetime:
        """The midnight after a day or a month."""
        year, month, *day = (int(part) for part in period.split("-"))
        if day:
            date = datetime(year, month, day[0], tzinfo=UTC).date() + timedelta(days=1)
        else:
            date = (datetime(year, month, 1, tzinfo=UTC) + timedelta(days=32)).date().replace(day=1)
        return datetime.combine(date, time(), self._zone)


def zone(name: str) -> ZoneInfo:
    """UTC where that is not the name of one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        log.warning("settings.time_zone_unknown", name=name)
        return ZoneInfo("UTC")


def _payers(payer: Payer) -> Sequence[Whose]:
    return ("all",) if _platform(payer) == CONSOLE else ("user", "team", "all")


def _scope(payer: Payer, whose: Whose) -> str:
    if whose == "all":
        return "all"
    team = team_of(payer.thread)
    return f"team:{team}" if whose == "team" else f"user:{team}/{payer.user}"


def _whose(scope: str) -> Whose:
    return {"user": "user", "team": "team"}.get(scope.partition(":")[0], "all")  # type: ignore[return-value]  # both are


def _what(what: str) -> What:
    return what  # type: ignore[return-value]  # we have written it


def _platform(payer: Payer) -> str:
    return payer.thread.partition(":")[0]
