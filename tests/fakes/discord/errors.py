"""What Discord answers when it refuses: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json."""

from typing import Any

MESSAGES = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10008: (404, "Unknown Message"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    20016: (429, "This action cannot be performed due to slowmode rate limit"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "This interaction has reached its maximum number of follow up messages"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    160004: (400, "A thread has already been created for this message"),
    160005: (400, "Thread is locked"),
    160006: (400, "Maximum number of active threads reached"),
}


class ApiError(Exception):
    def __init__(self, code: int, **fields: str) -> None:
        super().__init__(f"{code} {fields}")
        self.code = code
        self.fields = fields
        """Which field of the body was wrong → why."""

    @property
    def status(self) -> int:
        return MESSAGES[self.code][0]

    @property
    def body(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"code": self.code, "message": MESSAGES[self.code][1]}
        if self.fields:
            answer["errors"] = {
                name: {"_errors": [{"code": "BAD", "message": why}]} for name, why in self.fields.items()
            }
        return answer
