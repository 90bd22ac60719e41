"""Long text cut in the middle: the beginning says what it is, the end how it ended."""


def clip(text: str, characters: int) -> str:
    """`text`, or its head and tail with a note between them; never longer than `characters`."""
    if len(text) <= characters:
        return text
    note = f"\n… {len(text) - characters:,} characters left out …\n"
    if characters <= 2 * len(note):
        return text[: max(0, characters)]
    tail = (characters - len(note)) // 4
    return text[: characters - len(note) - tail] + note + text[-tail:]
