"""What a file is by its first bytes: names lie. Pure, standard library only."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"\0\0\1\0", "ico"),
    (0, b"8BPS", "psd"),
    (0, b"\0\0\0\x0cjP  ", "jpeg2000"),
    (0, b"\xff\x0a", "jpeg xl"),
    (0, b"%PDF-", "pdf"),
    (0, b"PK\3\4", "zip"),
    (0, b"PK\5\6", "zip"),
    (0, b"PK\7\x08", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (257, b"ustar", "tar"),
    (0, b"PAR1", "parquet"),
    (0, b"PARE", "parquet (encrypted)"),
    (0, b"ARROW1", "arrow"),
    (0, b"ORC", "orc"),
    (0, b"SQLite format 3\0", "sqlite"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"\x93NUMPY", "npy"),
    (8, b"DUCK", "duckdb"),
    (0, b"<stata_dta>", "stata"),
    (0, b"$FL2", "spss"),
    (0, b"$FL3", "spss"),
    (0, b"\0\1\0\0Standard Jet DB", "access"),
    (0, b"\0\1\0\0Standard ACE DB", "access"),
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"MThd", "midi"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"FLV\1", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\0\0\1\xba", "mpeg"),
    (0, b"\0\0\1\xb3", "mpeg"),
    (0, b"caff", "caf"),
    (0, b"#!AMR", "amr"),
    (0, b"{\\rtf", "rtf"),
    (0, b"\x7fELF", "program (ELF)"),
    (0, b"MZ", "program (Windows)"),
    (0, b"\xca\xfe\xba\xbe", "program (Java class or macOS)"),
    (0, b"\xcf\xfa\xed\xfe", "program (macOS)"),
    (0, b"\0asm", "program (WebAssembly)"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"OTTO", "font"),
    (0, b"\0\1\0\0\0", "font"),
    (0, b"SIMPLE  =", "fits"),
    (0, b"glTF", "gltf"),
    (0, b"-----BEGIN PGP", "pgp"),
    (0, b"Salted__", "openssl"),
)
_BRANDS = {
    b"heic": "heic", b"heix": "heic", b"hevc": "heic", b"mif1": "heic", b"msf1": "heic", b"heim": "heic",
    b"avif": "avif", b"avis": "avif", b"M4A ": "m4a", b"M4B ": "m4a", b"M4P ": "m4a",
}  # fmt: skip
_RIFF = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}

IMAGES = frozenset(["png", "jpeg", "gif", "bmp", "tiff", "ico", "psd", "jpeg2000", "webp", "heic", "avif"])
SOUNDS = frozenset(["mp3", "ogg", "flac", "wav", "m4a", "caf", "amr", "aiff", "aac"])
FILMS = frozenset(["mp4", "matroska", "flv", "asf", "mpeg", "avi"])


def magic(head: bytes) -> str | None:  # noqa: PLR0911  # one line a family
    """A short name of the format; None for text and what is unknown."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "mp4")
    if head[4:8] in {b"moov", b"mdat", b"wide", b"free", b"skip"}:
        return "mp4"
    if head[:4] in {b"RIFF", b"RF64"}:
        return _RIFF.get(head[8:12], "riff")
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    for offset, sign, name in _MAGIC:
        if head.startswith(sign, offset) and not _is_chance(name, head):
            return name
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None  # text in two bytes a character
    # Frames of MPEG audio: eleven bits set, then a layer and a rate that exist.
    if len(head) > 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        if head[1] & 0xF6 == 0xF0:
            return "aac"
        if head[1] & 0x06 and head[2] & 0xF0 not in {0, 0xF0} and head[2] & 0x0C != 0x0C:
            return "mp3"
    return None


def _is_chance(name: str, head: bytes) -> bool:
    """Two letters at the start of a text are no sign of anything: "BMW", "MZ", "ORCHESTRA"."""
    if name == "bzip2":
        return head[4:10] not in {b"1AY&SY", b"\x17rE8P\x90"}
    if name in {"bmp", "program (Windows)", "orc", "mp3", "caf", "flv", "jpeg xl"}:
        return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head[:64])
    return False


def shown(head: bytes) -> str:
    """The first bytes, for a file that nobody knows."""
    return head[:16].hex(" ")
