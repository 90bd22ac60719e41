"""Somebody, as operators name them: `slack:T345/U012`, or a bare id where it is clear who that is."""

from bot import forgetting
from bot.cli.ending import Code, Ended
from bot.store.store import Store


async def found(store: Store, given: str) -> list[tuple[str, str]]:
    """Team and id; more than one where a platform knows the same person in several."""
    team, slash, user = given.rpartition("/")
    if slash:
        return [(team, user)]
    platform, _, user = given.rpartition(":")
    teams = [each for each in await forgetting.teams_of(store, user) if each.startswith(platform)]
    if not teams:
        raise Ended(Code.USAGE, f"Nothing is held of {given}.")
    if len(teams) > 1 and not all(each.startswith("discord:") for each in teams):
        choices = ", ".join(f"{each}/{user}" for each in teams)
        raise Ended(Code.USAGE, f"{given} is known in several teams: name one, as {choices}.")
    return [(each, user) for each in teams]
