"""Output → messages within Discord's limits. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

from adapters.discord import files, markdown
from adapters.discord.files import SentFile
from adapters.discord.permissions import NEEDED
from adapters.split import split
from adapters.workbook import workbook
from bot.messages import Output
from bot.sentences import say, size

DISPLAYED = 4000
"""Characters of all text in a message of components: https://discord.com/developers/docs/components/reference."""
CONTENT = 2000
"""Characters of a plain message: https://discord.com/developers/docs/resources/message#create-message."""
LONGEST = 12
"""Messages that an answer may fill; one that is longer comes as a file, with its beginning."""
ANSWER_FILE = "answer.md"
NAMES_SAID = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """One message: text, then pictures, then other files."""

    text: str = ""
    files: tuple[SentFile, ...] = ()

    @property
    def pictures(self) -> tuple[SentFile, ...]:
        return tuple(file for file in self.files if file.is_image)

    @property
    def documents(self) -> tuple[SentFile, ...]:
        return tuple(file for file in self.files if not file.is_image)


def pieces(
    output: Output,
    *,
    known_hosts: Collection[str] = (),
    file_bytes: int,
    locale: str = "en",
    longest: int = LONGEST,
) -> tuple[Piece, ...]:
    """In the order in which people read them. At most `longest` hold text; files may take more."""
    translated = markdown.translate(output.text, known_hosts, partial(say, locale, "discord_table"))
    attached = [workbook((table.head, *table.rows)) for table in translated.tables]
    sent = tuple(files.sent_files(output.artifacts, attached))
    planned = files.plan(sent, file_bytes)
    text = "\n\n".join(
        part
        for part in (
            translated.text.strip(),
            _renamed(sent, locale),
            _too_large(planned.too_large, file_bytes, locale),
        )
        if part
    )
    texts = split(text, DISPLAYED, units)
    if len(texts) > longest:
        whole = _as_file(output.text)
        planned = files.plan([whole, *sent], file_bytes)
        texts = [*split(text, DISPLAYED - 200, units)[:1], say(locale, "discord_as_file", name=whole.name)]
        texts = ["\n\n".join(texts)]
    return _joined(texts, planned.batches)


def plain(piece: Piece) -> tuple[Piece, ...]:
    """The same in messages without components."""
    texts = split(piece.text, CONTENT, units) or [""]
    return (*(Piece(text) for text in texts[:-1]), Piece(texts[-1], piece.files))


def as_file(piece: Piece, locale: str) -> Piece:
    """What is left to try: the text in a file, the other files as they are while there is room."""
    whole = _as_file(piece.text)
    kept = tuple(file for file in piece.files if file.name != whole.name)[: files.FILES - 1]
    return Piece(say(locale, "discord_as_file", name=whole.name), (whole, *kept))


def without_files(piece: Piece, locale: str, not_allowed_in: int | None = None) -> Piece:
    """For where no file may be sent: their names; and what the bot lacks, where it is the channel that allows none."""
    names = ", ".join(file.original_name for file in piece.files)
    lost = say(locale, "discord_files_refused", names=names) if names else ""
    if lost and not_allowed_in is not None:
        place, permissions = f"<#{not_allowed_in}>", f'"{NEEDED["attach_files"]}"'
        missing = say(locale, "discord_no_permission", place=place, permissions=permissions)
        lost = f"{lost} {missing}"
    return replace(piece, text="\n\n".join(part for part in (piece.text, lost) if part), files=())


def units(text: str) -> int:
    """Characters as Discord's clients count them: those beyond 16 bits twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _joined(texts: list[str], batches: tuple[tuple[SentFile, ...], ...]) -> tuple[Piece, ...]:
    made = [Piece(text) for text in texts]
    first, *others = batches or ((),)
    if made:
        made[-1] = replace(made[-1], files=first)
    elif first:
        made = [Piece(files=first)]
    return (*made, *(Piece(files=batch) for batch in others))


def _as_file(text: str) -> SentFile:
    content = text.encode()
    return SentFile(ANSWER_FILE, content, len(content), ANSWER_FILE)


def _renamed(sent: tuple[SentFile, ...], locale: str) -> str:
    changed = [file for file in sent if file.name != file.original_name.replace(" ", "_")]
    return "\n".join(
        f"-# {say(locale, 'discord_renamed', sent=file.name, name=file.original_name)}"
        for file in changed[:NAMES_SAID]
    )


def _too_large(names: tuple[str, ...], file_bytes: int, locale: str) -> str:
    if not names:
        return ""
    listed = ", ".join(names[:NAMES_SAID]) + (", …" if len(names) > NAMES_SAID else "")
    limit = size(locale, min(file_bytes, files.REQUEST_BYTES))
    return say(locale, "discord_too_large", names=listed, limit=limit)
