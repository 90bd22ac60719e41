"""How a text is encoded. Standard library, and charset-normalizer where it is there."""

import codecs
import re
import unicodedata
from typing import NamedTuple

_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EASTERN = ("gb18030", "shift_jis", "euc_kr", "big5", "euc_jp")
_EASTERN_TEXT = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")
_FOREIGN = re.compile("(?s)(?:(?<=(.))|)([\u0080-\uffff])(?=(.)|)")
_LATIN_BYTES = re.compile(rb"[\x80-\xff]")
_SAMPLE_BYTES = 100_000


class Encoding(NamedTuple):
    name: str
    """As Python and pandas know it."""
    sure: bool
    """False where single bytes would be valid in other encodings too."""


def find_encoding(head: bytes, whole: bool) -> Encoding | None:
    """None for what is no text. `head` is the start of a file, or all of it (`whole`)."""
    for mark, name in _MARKED:
        if head.startswith(mark):
            return Encoding(name, True) if _decodes(head, name, whole) else None
    if b"\0" in head[:4096] and (found := _without_mark(head, whole)):
        return found
    if _is_binary(head):
        return None
    if _decodes(head, "utf-8", whole):
        return Encoding("utf-8", True)
    return Encoding(_of_single_bytes(head), False)


def decode(data: bytes, encoding: str, whole: bool) -> str:
    """Text with a replacement sign for what does not decode; a character that is cut in two is left out."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(data, final=whole)


def _decodes(data: bytes, encoding: str, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(data, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _without_mark(head: bytes, whole: bool) -> Encoding | None:
    """Two bytes a character: in Western text every second one is zero."""
    sample = head[:4096]
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = sample[start::2].count(0)
        if zeros > 0.3 * len(sample) / 2 and sample[1 - start :: 2].count(0) < 0.05 * len(sample):
            return Encoding(name, True) if _decodes(head, name, whole) else None
    return None


def _is_binary(head: bytes) -> bool:
    control = sum(head[:8192].count(byte) for byte in range(32) if byte not in b"\t\n\v\f\r\x1a\x1b")
    return control > 2 + 0.01 * len(head[:8192])


def _of_single_bytes(head: bytes) -> str:
    # Around the first bytes that tell, which may stand far below the top.
    found = _LATIN_BYTES.search(head)
    start = max(0, found.start() - 1000) if found else 0
    sample = head[start : start + _SAMPLE_BYTES]
    high = len(_LATIN_BYTES.findall(sample))
    runs = re.findall(rb"[\x80-\xff]{2,}", sample)
    if sum(map(len, runs)) < 0.5 * high:
        # Single letters with accents between plain ones: a language of Latin script.
        return _latin(sample)
    for name in _EASTERN:
        try:
            text = codecs.getincrementaldecoder(name)("strict").decode(sample)
        except UnicodeDecodeError:
            continue
        foreign = [each for each in text if ord(each) > 127]
        if foreign and len(_EASTERN_TEXT.findall(text)) > 0.95 * len(foreign) and _is_common(foreign, name):
            return name
    return _guessed(sample)


def _is_common(characters: list[str], name: str) -> bool:
    """Cyrillic or Greek bytes are valid Chinese too, of characters that nobody writes."""
    common = sum(each in _COMMON for each in characters)
    return common > 0.12 * len(characters) or (
        name == "euc_kr" and any("\uac00" <= each <= "\ud7af" for each in characters)
    )


_COMMON = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
    "金额公司名称数量日期合计编号单价地址电话姓部门产品销售城市北京海广州区省市月總計這個們為國說時會對過發後裡"
    "数値売上日本東京大阪月年日円名前商品番号住所電話会社合計支店のにをはがとでたしてれさいるものこなかっんーアイウエオカキクケコサシスセソタチツテトナニノハヒフマミムメモラリルレロンッャュョ"
)


_SCRIPTS = {
    "cp1252": "äöüÄÖÜßéèàêçñóíáúãõåøæâôîëûùïòìýÉÀÇÑÓÁÍÅØÆœŒšŠžŽ",
    "cp1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻčďěňřšťůžýáíéúČĎĚŇŘŠŤŮŽÝÁÍÉÚőűöüäßŐŰÖÜÄăâîşţ",
    "cp1254": "çğıöşüÇĞİÖŞÜâîû",
    "cp850": "äöüÄÖÜßéèàêçñóíáúåøæ",
    "mac_roman": "äöüÄÖÜßéèàêçñóíáúåøæ",
}
"""Letters of the languages that are written in an encoding, the likeliest first."""


def _latin(sample: bytes) -> str:
    """The encoding in which the words make most sense."""
    scores = {name: _sense(sample.decode(name, "replace"), letters) for name, letters in _SCRIPTS.items()}
    # Only old Macs end lines with a carriage return.
    scores["mac_roman"] += b"\r" in sample and b"\n" not in sample
    best = max(scores, key=lambda name: scores[name])
    return best if _decodes(sample, best, True) else "latin-1"


def _sense(text: str, letters: str) -> int:
    """Known letters count for it; a capital within a word, or a sign beside a letter, against it."""
    score = 0
    for found in _FOREIGN.finditer(text):
        before, sign, after = found[1] or " ", found[2], found[3] or " "
        is_in_word = before.isalpha() or after.isalpha()
        kind = unicodedata.category(sign)
        if sign in letters:
            # A capital alone may as well be a currency in another encoding.
            score += (-1 if sign.isupper() and before.islower() else 2) if is_in_word else sign.islower()
        elif kind == "Sc":
            score += 0 if is_in_word else 1
        elif (
            sign.isalpha()
            or kind == "Cc"
            or (
                after.isalpha()
                and (before.isalpha() or unicodedata.category(before) == "Sc")
                and sign not in "’‘"
            )
        ):
            score -= 1
    return score


def _guessed(sample: bytes) -> str:
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return "cp1252" if _decodes(sample, "cp1252", True) else "latin-1"
    best = from_bytes(sample[:20_000]).best()
    return best.encoding if best and best.encoding != "ascii" else "cp1252"
