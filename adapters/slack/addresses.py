"""All that is needed to open a thread for a turn again, in this process or another. Pure."""

import json
from dataclasses import asdict, dataclass

from adapters.slack.places import Place


@dataclass(frozen=True, slots=True)
class Address:
    team: str
    channel: str
    thread_ts: str
    turn: str
    """`Message.id`."""
    question_ts: str
    """Empty where the question is no message, as one from a form."""
    asker: str
    asker_team: str

    @property
    def place(self) -> Place:
        return Place(self.team, self.channel, self.thread_ts)

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> "Address":
        return cls(**json.loads(text))
