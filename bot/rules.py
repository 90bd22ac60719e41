"""What the operator allows, and how much of it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt
from pydantic_settings import NoDecode

Whose = Literal["user", "team", "all"]
What = Literal["turns", "tokens", "usd", "seconds"]
Approvers = Literal["off", "managers", "asker"]
"""Of a host that code was refused: nobody; whoever manages the team or guild; or whoever asked, too."""


def _ids(given: object) -> object:
    if isinstance(given, str):
        return frozenset(each for each in given.replace(",", " ").split() if each)
    return frozenset({str(given)}) if isinstance(given, int) else given


def _none(given: object) -> object:
    return None if isinstance(given, str) and given.strip().lower() == "none" else given


Ids = Annotated[frozenset[str], NoDecode, BeforeValidator(_ids)]
Count = Annotated[NonNegativeInt | None, BeforeValidator(_none)]
Amount = Annotated[NonNegativeFloat | None, BeforeValidator(_none)]


class Rules(BaseModel):
    """Who may use the bot, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    slack_teams: Ids = frozenset()
    """Workspaces whose members may ask. Without it, the one that the bot is installed in."""
    slack_channels: Ids = frozenset()
    """Without it, wherever the bot is invited. Direct messages have a switch of their own."""
    slack_users: Ids = frozenset()
    """Without it, and without groups, every member."""
    slack_groups: Ids = frozenset()
    """User groups whose members may ask, beside the users."""
    slack_guests: bool = False
    """Single- and multi-channel guests."""
    slack_externals: bool = False
    """People of other organisations, over Slack Connect."""
    slack_bots: bool = False
    """Other bots, when they mention this one."""
    slack_dms: bool = True
    """Direct messages."""
    slack_run: bool = True
    """Code of people's own, without the model."""

    discord_guilds: Ids = frozenset()
    """Servers in which the bot works. Without it, none: it leaves all others."""
    discord_channels: Ids = frozenset()
    """Without it, wherever the bot can write. Threads count as their channel."""
    discord_users: Ids = frozenset()
    """Without it, and without roles, every member."""
    discord_roles: Ids = frozenset()
    """Roles whose members may ask, beside the users."""
    discord_bots: bool = False
    """Other bots, when they mention this one."""
    discord_dms: bool = False
    """Direct messages: they know no roles, and come from whoever shares a server with the bot."""
    discord_run: bool = False
    """`/run`: code of people's own, without the model."""


class BudgetLimits(BaseModel):
    """How much may be used. A day, a month begins by `TZ`. `none` lifts a limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    user_turns_a_day: Count = 100
    """Questions, and code of people's own, of one person."""
    user_tokens_a_day: Count = 2_000_000
    """Input and output of the model, for one person."""
    user_usd_a_day: Amount = 5
    """List prices, for one person. A model whose price is not known is bounded by its tokens alone."""
    user_seconds_a_day: Amount = 3600
    """Running code, for one person."""

    team_turns_a_month: Count = None
    """Of one workspace or server."""
    team_tokens_a_month: Count = None
    """Of one workspace or server."""
    team_usd_a_month: Amount = None
    """Of one workspace or server."""
    team_seconds_a_month: Amount = None
    """Of one workspace or server."""

    turns_a_month: Count = 10_000
    """Of all together."""
    tokens_a_month: Count = 100_000_000
    """Of all together."""
    usd_a_month: Amount = 100
    """Of all together."""
    seconds_a_month: Amount = 360_000
    """Of all together."""

    slack_cooldown_seconds: NonNegativeFloat = 0
    """Between two questions of one person. What they add to a thread in which something runs does not wait."""
    slack_running: Annotated[PositiveInt | None, BeforeValidator(_none)] = None
    """Questions of one person that may be worked on at once, each in a thread of its own."""
    discord_cooldown_seconds: NonNegativeFloat = 10
    """As on Slack."""
    discord_running: Annotated[PositiveInt | None, BeforeValidator(_none)] = 1
    """As on Slack."""

    def most(self, whose: Whose, what: What) -> float | None:
        """None where there is no limit."""
        name = f"{what}_a_month" if whose == "all" else f"{whose}_{what}_a_{PERIODS[whose]}"
        return _number(getattr(self, name))

    def cooldown_seconds(self, platform: str) -> float:
        return float(getattr(self, f"{platform}_cooldown_seconds", 0))

    def running(self, platform: str) -> float | None:
        return _number(getattr(self, f"{platform}_running", None))


PERIODS: dict[Whose, str] = {"user": "day", "team": "month", "all": "month"}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
