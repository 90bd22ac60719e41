"""Who wants what, and where: what adapters hand over, and what the policy decides by."""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

from pydantic import TypeAdapter

from bot.messages import Author


class Wish(StrEnum):
    """What somebody wants, as far as the policy tells it apart."""

    ASK = auto()
    RUN = auto()
    """Code of their own, without the model."""
    LOOK = auto()
    """At code, a notebook, files, usage or help."""
    CHANGE = auto()
    """Stop, delete, rate, allow a host. Whose it is, adapters look at."""
    ADMINISTER = auto()
    """What a whole team or guild may."""


@dataclass(frozen=True, slots=True)
class Visit:
    wish: Wish
    author: Author
    platform: str
    """`slack`, `discord`: with what the ids of its threads begin."""
    team: str
    """The workspace whose installation heard of it, or the guild; empty in Discord's direct messages."""
    channel: str
    """Also for what is said in a thread of it. Empty for what belongs to none, as Slack's Home tab."""
    roles: tuple[str, ...] | None = None
    """On Discord; on Slack the ids of user groups. None where the platform has not been asked."""
    asker_team: str = ""
    """Their own, where it is another one than `team`."""
    is_external: bool = False
    """Somebody from another organisation, over Slack Connect."""
    is_guest: bool | None = None
    """Slack's single- and multi-channel guests. None where Slack has not been asked."""
    is_bot: bool = False
    in_dm: bool = False
    is_manager: bool = False
    """Whether the platform lets them manage the whole team or guild."""
    changes_answer: bool = False
    """They run an answer's code, changed: allowed where asking is."""
    looking_at: str | None = None
    """The channel that the asker has open beside the conversation, where Slack says so."""

    @property
    def place(self) -> str:
        """The team as the ids of threads have it: `slack:T1`, `discord:dm`."""
        return f"{self.platform}:{self.team or 'dm'}"


_VISIT = TypeAdapter(Visit)


def visit_to_json(visit: Visit) -> dict[str, Any]:
    """For a turn that asks again, in another process, whether it may."""
    written: dict[str, Any] = _VISIT.dump_python(visit, mode="json")
    return written


def visit_from_json(written: dict[str, Any]) -> Visit:
    return _VISIT.validate_python(written)
