"""What is asked in these trials, and what the model answers: three cells, two charts and text; then a look at what is
left of it."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.openai_answers import Answer, Calls, Says

RAN = "open('.runs', 'a').write({n!r}); "
PLOT = """
import matplotlib.pyplot as plt
plt.figure(figsize=(2, 2)); plt.plot(y); plt.title('{title}')
"""
CELLS = (
    RAN.format(n="1") + "x = 1; y = [x]; print('one', x)",
    RAN.format(n="2") + "x += 1; y.append(x); print('two', x)" + PLOT.format(title="First") + "plt.show()",
    RAN.format(n="3")
    + "x *= 10; y.append(x); print('three', x)"
    + PLOT.format(title="Second")
    + "plt.savefig('second.png'); plt.close()",
)
LOOK = "print(globals().get('x'), globals().get('y'), open('.runs').read())"
ANSWER = "It is 20. See both charts."
CHARTS = ["first.png", "second.png"]
SEEN = "20 [1, 2, 20] 123"
"""What `LOOK` prints if each cell has run once, and nothing else has."""

USAGE = (100, 10, 0)


SLOW = (
    RAN.format(n="1") + "x = 1; print('one')",
    RAN.format(n="S") + "import time; time.sleep(3); print('slept')",
)
"""For trials in which a cell is interrupted."""
STORIES = {"work": CELLS, "sleep": SLOW, "look": (LOOK,)}


@dataclass
class Narrator:
    """Answers as the thread stands, so a request that comes again gets the same answer again."""

    asked: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    """How often, by the trial's name and the results that the model has seen in this turn."""
    when: dict[tuple[str, int], Callable[[], None]] = field(
        default_factory=dict[tuple[str, int], Callable[[], None]]
    )
    """What happens just before such a request is answered for the first time."""

    def __call__(self, body: dict[str, Any]) -> Answer:
        messages = body["messages"]
        # Charts come as messages of the user's too.
        last = max(index for index, each in enumerate(messages) if "(trial " in _text(each))
        question = _text(messages[last])
        trial = question.rpartition("(trial ")[2].split()[0]
        what = question.rpartition("Please ")[2].split()[0]
        results = [_text(each) for each in messages[last:] if each["role"] == "tool"]
        if what != "look":
            self.asked[trial, len(results)] += 1
            if happens := self.when.pop((trial, len(results)), None):
                happens()
        cells = STORIES[what]
        if len(results) < len(cells):
            call = Calls(cells[len(results)], id=f"call_{what}_{len(results)}")
            return Says(f"Step {len(results) + 1}.", (call,), usage=USAGE)
        return Says(f"I see: {results[-1]}" if what == "look" else ANSWER, usage=USAGE)


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else json.dumps(content)
