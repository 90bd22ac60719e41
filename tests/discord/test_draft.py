"""One message, as discord.py sends it."""

import pytest

from adapters.discord.buttons import under_answer
from adapters.discord.draft import Draft
from adapters.discord.render import Piece
from bot.messages import ThreadId


@pytest.mark.parametrize("is_rich", [True, False])
async def test_thumbs_stand_in_a_row_of_their_own(is_rich: bool) -> None:
    made = under_answer("discord:1", ThreadId("discord:1/2"), "en", has_code=True)

    view = Draft(Piece("It is 5."), made, is_rich=is_rich).to_send()["view"]

    rows = [each for each in view.to_components() if each["type"] == 1]
    assert [[each.get("label") or each["emoji"]["name"] for each in row["components"]] for row in rows] == [
        ["Show code", "Edit & run", "Notebook", "Delete"],
        ["👍", "👎"],
    ]
