"""Messages whose code somebody ran: an edit runs it again in place, deletion takes the output away."""

import json
from dataclasses import dataclass, replace

from adapters.discord import inbound
from adapters.discord.address import Address
from bot.reception import Journal
from bot.visits import Visit, visit_from_json, visit_to_json


@dataclass(frozen=True, slots=True)
class Ran:
    address: Address
    visit: Visit
    is_own: bool
    """Whether it was the message's author who ran it. Nobody else's edit runs code in somebody's session."""

    def again(self, edited_ms: int) -> Address:
        """Where the output of the edited message goes: over the old one."""
        turn = f"{inbound.source_of(self.address.turn)}@{edited_ms}"
        return replace(self.address, turn=turn, edited=True)


async def remember(journal: Journal, message: int, ran: Ran) -> None:
    state = {
        "address": ran.address.to_json(),
        "is_own": ran.is_own,
        "visit": visit_to_json(ran.visit),
    }
    await journal.note(f"discord:ran:{message}", json.dumps(state))


async def recall(journal: Journal, message: int) -> Ran | None:
    noted = await journal.recall(f"discord:ran:{message}")
    if not noted:
        return None
    state = json.loads(noted)
    return Ran(Address.from_json(state["address"]), visit_from_json(state["visit"]), state["is_own"])
