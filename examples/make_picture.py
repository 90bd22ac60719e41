"""Draws docs/demo.png from what `make demo` said and made. Runs in the sandbox's image, which has the libraries:

python -m examples.demo > plotline-out/demo.txt
docker run --rm -i --network none --user "$(id -u)" -v "$PWD:/workspace" \
    --entrypoint /opt/python/bin/python plotline-sandbox:core - plotline-out/demo.txt < examples/make_picture.py
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/truetype/dejavu")
PLAIN = ImageFont.truetype(FONTS / "DejaVuSans.ttf", 23)
BOLD = ImageFont.truetype(FONTS / "DejaVuSans-Bold.ttf", 23)
LINE, PADDING, GAP, APART = 33, 20, 12, 24
COLUMN, INDENT = 530, 50
"""Widths: of a column, and of the room beside a bubble."""
PAGE = "#eef1f5"
ASKED, ANSWERED = ("#1f5f8b", "#ffffff"), ("#ffffff", "#1c2330")
"""Colours of a bubble and of the words in it."""
COLUMNS = ((1,), (2, 3), (4,))
"""Which questions of the demo, counted from 0, stand in which column."""


@dataclass
class Exchange:
    question: str
    file: str
    text: list[str] = field(default_factory=list[str])
    """Paragraphs."""
    pictures: list[Path] = field(default_factory=list[Path])


def exchanges(said: str) -> Iterator[Exchange]:
    for part in re.split(r"^> ", said, flags=re.MULTILINE)[1:]:
        asked, _, answer = part.partition("\n")
        question, _, file = asked.removesuffix("]").partition("  [")
        exchange = Exchange(question, file)
        for paragraph in re.split(r"\n\n|\n(?=- )", answer.split("\n✓")[0].strip()):
            lines = paragraph.splitlines()
            files = [re.fullmatch(r".+\.png  [\d.]+ .?B  (.+)", line) for line in lines]
            exchange.pictures += [Path(file[1]) for file in files if file]
            spoken = [
                line
                for line, file in zip(lines, files, strict=True)
                if not file and not line.startswith("  ")
            ]
            exchange.text += [" ".join(spoken)] if spoken else []
        yield exchange


class Page:
    def __init__(self, width: int) -> None:
        self.image = Image.new("RGB", (width, 4000), PAGE)
        self._draw = ImageDraw.Draw(self.image)

    def exchange(self, each: Exchange, left: int, top: int) -> int:
        """Where the next one may begin."""
        asked = [each.question, f"({each.file})"] if each.file else [each.question]
        top = self._bubble(asked, (left + INDENT, top), ASKED)
        top = self._bubble(each.text, (left, top), ANSWERED)
        width = COLUMN - INDENT
        for picture in sorted(each.pictures):
            image = Image.open(picture).convert("RGB")
            size = (width, round(image.height * width / image.width))
            top = self._picture(image.resize(size, Image.Resampling.LANCZOS), left, top)
        return top + APART

    def _bubble(self, paragraphs: list[str], at: tuple[int, int], colours: tuple[str, str]) -> int:
        """Where the next one may begin."""
        (left, top), (colour, ink) = at, colours
        width = COLUMN - INDENT
        lines = [line for paragraph in paragraphs for line in _wrapped(paragraph, width - 2 * PADDING)]
        height = LINE * len(lines) + 2 * PADDING - 6
        self._draw.rounded_rectangle((left, top, left + width, top + height), 18, fill=colour)
        for number, line in enumerate(lines):
            x = float(left + PADDING)
            for word, is_bold in line:
                font = BOLD if is_bold else PLAIN
                self._draw.text((x, top + PADDING - 3 + number * LINE), word, font=font, fill=ink)
                x += font.getlength(f"{word} ")
        return top + height + GAP

    def _picture(self, image: Image.Image, left: int, top: int) -> int:
        """Where the next one may begin."""
        mask = Image.new("L", image.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, image.width - 1, image.height - 1), 14, fill=255)
        self.image.paste(image, (left, top), mask)
        return top + int(image.height) + GAP


def _wrapped(paragraph: str, width: int) -> Iterator[list[tuple[str, bool]]]:
    line: list[tuple[str, bool]] = []
    used = 0.0
    for word, is_bold in _words(paragraph):
        length = (BOLD if is_bold else PLAIN).getlength(f"{word} ")
        if line and used + length > width:
            yield line
            line, used = [], 0.0
        line.append((word, is_bold))
        used += length
    yield line


def _words(paragraph: str) -> Iterator[tuple[str, bool]]:
    is_bold = False
    for word in re.sub(r"^- ", "• ", paragraph).replace("`", "").replace(" €", "\u00a0€").split(" "):
        opens = word.startswith("**")
        closes = bool(re.search(r"\*\*\W*$", word[2:] if opens else word))
        yield word.replace("**", ""), is_bold or opens
        is_bold = (is_bold or opens) and not closes


def main() -> None:
    said = list(exchanges(Path(sys.argv[1]).read_text("utf-8")))
    page = Page(len(COLUMNS) * (COLUMN + 36) + 24)
    bottoms = []
    for number, column in enumerate(COLUMNS):
        top = 36
        for which in column:
            top = page.exchange(said[which], 36 + number * (COLUMN + 36), top)
        bottoms.append(top)
    page.image.crop((0, 0, page.image.width, max(bottoms))).quantize(256, dither=Image.Dither.NONE).save(
        "docs/demo.png", optimize=True
    )


if __name__ == "__main__":
    main()
