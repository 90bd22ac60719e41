"""The Model port over any endpoint that speaks one of OpenAI's formats; `scripted` needs none."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.models.endpoint import Endpoint
    from bot.models.patience import Patience


async def connect(  # noqa: PLR0913  # what the settings say of the model
    *,
    api_key: str,
    base_url: str | None,
    name: str | None,
    api: Literal["auto", "responses", "chat"] = "auto",
    context_tokens: int | None = None,
    images: bool | None = None,
    effort: str | None = None,
    memory: Path,
    patience: "Patience | None" = None,
) -> "Endpoint":
    """A model to ask, until it is closed. Where `name` is None it is one that the endpoint offers; what None leaves
    open is found out while asking, and kept in the file `memory`.

    Raises a `ModelError` if there is no name and the endpoint cannot be asked for one.
    """
    # The SDK takes most of a second to import: nobody waits for it who asks no model.
    from bot.models import connecting  # noqa: PLC0415
    from bot.models.patience import Patience  # noqa: PLC0415

    wanted = connecting.Wanted(name, api, context_tokens, images, effort)
    return await connecting.connect(api_key, base_url, wanted, memory, patience or Patience())
