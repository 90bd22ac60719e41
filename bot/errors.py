"""
Everything we raise on purpose:

* BotError
  - AttachmentRefused
  - PlatformUnavailable
  - LimitReached
  - StoreUnavailable
  - DiskFull
  - ModelError
    - ModelUnavailable
    - ModelMisconfigured
    - ModelQuotaExhausted
    - ContextTooLong
    - InputRefused
  - SandboxError
    - SandboxNotReady
    - SandboxBusy
    - SandboxLost

* Fenced

Code that fails inside a cell is not here: it is an `Execution`. A model that errs is not here: it reads
what was wrong and tries again.
"""

from typing import ClassVar


class Fenced(Exception):
    """The turn belongs to another worker by now, or has ended: this one has nothing to do or to say in it any more.

    Not a `BotError`: nobody hears of it.
    """


class BotError(Exception):
    """Something we expected could go wrong.

    People read the sentence named by `sentence`, filled in with `facts`, in their own language
    (`bot.sentences`). `str(error)` is for the log: it may hold paths and URLs, and never leaves it.
    """

    default_sentence: ClassVar[str] = "internal"

    def __init__(self, detail: str, *, sentence: str | None = None, **facts: str | int | float) -> None:
        super().__init__(detail)
        self.sentence = sentence or self.default_sentence
        self.facts = facts


class AttachmentRefused(BotError):
    """A file that cannot be taken. `facts` name it."""

    default_sentence = "attachment_refused"


class PlatformUnavailable(BotError):
    """The chat platform refused a call or did not answer."""

    default_sentence = "platform_unavailable"


class LimitReached(BotError):
    """A bound of the turn was met. What was done so far is still delivered."""

    default_sentence = "limit_reached"


class StoreUnavailable(BotError):
    """The store does not answer, or cannot write. What was recorded before is safe."""

    default_sentence = "store_unavailable"


class DiskFull(BotError):
    """There is no room left on a disk of ours. What was recorded before is safe."""

    default_sentence = "disk_full"


class ModelError(BotError):
    """The model endpoint did not give a usable reply."""

    default_sentence = "model_unavailable"


class ModelUnavailable(ModelError):
    """No answer after retries: connection, rate limit, server error, broken streams."""


class ModelMisconfigured(ModelError):
    """The endpoint refuses us for a reason that only the operator can mend: key, model name, URL."""

    default_sentence = "model_misconfigured"


class ModelQuotaExhausted(ModelError):
    """The account behind the key has no credit left. Never retried."""

    default_sentence = "model_quota"


class ContextTooLong(ModelError):
    """The request is longer than the model's window. The agent compacts once and asks again."""

    default_sentence = "context_too_long"


class InputRefused(ModelError):
    """The endpoint refuses an item of the request, such as an image. The agent takes it out."""

    default_sentence = "input_refused"


class SandboxError(BotError):
    """Base of everything that goes wrong around a container."""

    default_sentence = "sandbox_unavailable"


class SandboxNotReady(SandboxError):
    """The engine does not answer, or the image is missing. `facts["mend"]` is the command that helps."""

    default_sentence = "sandbox_not_ready"


class SandboxBusy(SandboxError):
    """Every container that may be alive at once is in use."""

    default_sentence = "sandbox_busy"


class SandboxLost(SandboxError):
    """The container is gone. Files are in the store; the next call opens another one."""

    default_sentence = "sandbox_lost"
