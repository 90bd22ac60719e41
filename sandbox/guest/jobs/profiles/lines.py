"""Lines as files have them. `str.splitlines` also cuts at signs that stand inside a line, such as U+2028."""


def split_lines(text: str) -> list[str]:
    """Without their ends, whichever of the three they are."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]
