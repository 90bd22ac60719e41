"""What comes of a click on a question about a host: who may decide, once, and what everybody reads then."""

from collections.abc import Awaitable, Callable

from bot import policy
from bot.folders import team_of
from bot.messages import Author
from bot.reception import Act, Action, Decided
from bot.rules import Approvers
from bot.sentences import say
from bot.store.approvals import ALLOWED, Decision, Question
from bot.store.audit import Event
from bot.store.lookups import Lookups
from bot.store.store import Store

_DECISIONS = {
    Act.ALLOW_ONCE: Decision.ONCE,
    Act.ALLOW_THREAD: Decision.THREAD,
    Act.DENY: Decision.DENIED,
    Act.REVOKE: Decision.REVOKED,
}


async def decide(
    action: Action, store: Store, approvers: Approvers, wake: Callable[[], Awaitable[None]]
) -> Decided:
    visit = action.visit
    question = await store.approvals.find(action.turn)
    if question is None or team_of(question.thread) != visit.place:
        return Decided(say(visit.author.locale, "host_unknown"), is_for_all=False)
    decision = _DECISIONS[action.act]
    if decision is Decision.REVOKED:
        # Whoever may do anything here may make it safer.
        before = await store.approvals.revoke(question.id)
        is_done = before is not None and before.decision in ALLOWED
    else:
        asker = await Lookups(store.database).asker(question.turn)
        if not policy.may_decide(visit, asker, approvers):
            whose = "host_for_asker" if approvers == "asker" else "host_for_managers"
            return Decided(say(visit.author.locale, whose), is_for_all=False)
        before = await store.approvals.decide(question.id, decision)
        is_done = before is not None and not (before.is_over or before.decision)
    if not is_done:
        return _too_late(before or question, visit.author)
    await store.audit.note(
        Event.DECIDED,
        thread=question.thread,
        turn=question.turn,
        user=visit.author.id,
        host=str(question.host),
        decision=str(decision),
    )
    await wake()
    sentence = say(visit.author.locale, f"host_{decision}", name=visit.author.name, host=str(question.host))
    return Decided(sentence, can_be_revoked=decision is Decision.THREAD)


def _too_late(question: Question, author: Author) -> Decided:
    is_over = question.is_over and not question.decision
    sentence = say(author.locale, "host_over" if is_over else "host_decided", host=str(question.host))
    return Decided(sentence, is_for_all=is_over)
