"""People who want something, and rules for them."""

from dataclasses import dataclass

from hypothesis import strategies as st

from bot.messages import Author
from bot.policy import Narrowed
from bot.rules import Rules
from bot.visits import Visit, Wish

GUILD = "812"
SLACK = Visit(
    Wish.ASK, Author("U1", "Anna", "en", "Europe/Vienna"), "slack", "T1", "C1", roles=(), is_guest=False
)
DISCORD = Visit(Wish.ASK, Author("42", "Anna"), "discord", GUILD, "5", roles=())

_IDS = ("1", "2")
_SOME = st.frozensets(st.sampled_from(_IDS))
_SAID = st.dictionaries(st.sampled_from(_IDS), st.booleans())


@dataclass(frozen=True)
class Any:
    visits: st.SearchStrategy[Visit]
    rules: st.SearchStrategy[Rules]
    narrowed: st.SearchStrategy[Narrowed]


THEIRS = Any(
    visits=st.builds(
        Visit,
        wish=st.sampled_from(list(Wish)),
        author=st.builds(Author, st.sampled_from(_IDS), st.just("Anna")),
        platform=st.sampled_from(["slack", "discord"]),
        team=st.sampled_from(_IDS),
        channel=st.sampled_from(_IDS),
        roles=st.none() | st.lists(st.sampled_from(_IDS), max_size=2).map(tuple),
        asker_team=st.sampled_from(["", *_IDS]),
        is_external=st.booleans(),
        is_guest=st.none() | st.booleans(),
        is_bot=st.booleans(),
        in_dm=st.booleans(),
        is_manager=st.booleans(),
        changes_answer=st.booleans(),
    ),
    rules=st.builds(
        Rules,
        slack_teams=_SOME,
        slack_channels=_SOME,
        slack_users=_SOME,
        slack_groups=_SOME,
        slack_guests=st.booleans(),
        slack_externals=st.booleans(),
        slack_bots=st.booleans(),
        slack_dms=st.booleans(),
        slack_run=st.booleans(),
        discord_guilds=_SOME,
        discord_channels=_SOME,
        discord_users=_SOME,
        discord_roles=_SOME,
        discord_dms=st.booleans(),
        discord_run=st.booleans(),
    ),
    narrowed=st.builds(Narrowed, channels=_SAID, roles=_SAID, users=_SAID),
)
"""With few ids, so that they often meet."""
