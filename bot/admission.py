"""Whether somebody may, asked of the policy and of the budgets, before anything is stored or paid.

A message that is refused leaves nothing behind: no row, no file, and in the log no more than the rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from bot import policy
from bot.budgets import Budgets
from bot.policy import Narrowed, Refusal, Rule
from bot.rules import Rules
from bot.store.audit import Audit, Event
from bot.store.switches import Switches
from bot.store.usage import Payer
from bot.visits import Visit

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admission:
    rules: Rules
    switches: Switches
    budgets: Budgets
    audit: Audit

    async def refusal(self, visit: Visit) -> Refusal | None:
        """Asked at each click, each form, and again where a turn begins. None where it may be."""
        return (await self.asked(visit))[0]

    async def asked(self, visit: Visit) -> tuple[Refusal | None, Narrowed]:
        """The same, and what has been decided for the visit's team or guild."""
        switched = policy.switched(visit, await self.switches.values(policy.switches_for(visit)))
        return _noted(visit, policy.decide(visit, self.rules, switched)), switched.narrowed

    async def admit(self, visit: Visit, payer: Payer) -> Refusal | None:
        """Asked for each message before it is stored. Where it may be, the turn is counted, once."""
        refusal, narrowed = await self.asked(visit)
        return refusal or _noted(visit, await self.budgets.begin(payer, narrowed))

    def serves(self, platform: str, team: str) -> bool:
        return policy.serves(platform, team, self.rules)

    async def narrowed(self, visit: Visit) -> Narrowed:
        """What whoever manages the visit's team or guild has decided for it."""
        name = policy.settings_name(visit.place)
        return policy.narrowed_from((await self.switches.values([name])).get(name))

    async def narrow(self, visit: Visit, values: Mapping[str, str]) -> Narrowed:
        """`/settings`, once `refusal` has allowed it; `values` as in `policy.with_change`."""

        def change(before: str | None) -> str:
            return policy.narrowed_to(policy.with_change(policy.narrowed_from(before), values))

        name = policy.settings_name(visit.place)
        written = await self.switches.change(name, change, by=visit.author.id)
        await self.audit.note(Event.CHANGED, team=visit.place, user=visit.author.id, name=name, value=written)
        return policy.narrowed_from(written)


def _noted(visit: Visit, refusal: Refusal | None) -> Refusal | None:
    if refusal and refusal.rule is not Rule.UNKNOWN:
        log.info("visit.refused", rule=refusal.rule, why=refusal.sentence, wish=visit.wish, team=visit.place)
    return refusal
