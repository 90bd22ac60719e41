"""What kind of file something is, from its first bytes and the ending of its name. Pure."""

from pathlib import PurePosixPath

HEAD_BYTES = 512
"""As many first bytes as `media_type` can make use of."""
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
SVG = "image/svg+xml"


def media_type(head: bytes, name: str) -> str:
    """The bytes decide; the ending says more only where they allow it."""
    ending, is_text = ending_of(name), _is_text(head)
    # A table whose first column is BMW is no bitmap: few formats begin like text and are not.
    for start, offset, kind in _MAGIC_OF_TEXT if is_text else _MAGIC:
        if head[offset : offset + len(start)] == start:
            return _INSIDE.get(kind, {}).get(ending, kind)
    if not is_text:
        return _WITHOUT_MAGIC.get(ending, UNKNOWN)
    if ending == "svg" and b"<svg" not in head and not head.lstrip().startswith(b"<"):
        return TEXT
    return _TEXTS.get(ending, TEXT)


def ending_of(name: str) -> str:
    """In small letters, without the dot."""
    return PurePosixPath(name).suffix.lower()[1:]


def extension_for(kind: str) -> str:
    """What the name of such a file should end in, with the dot."""
    return _EXTENSIONS.get(kind, ".bin")


def _is_text(head: bytes) -> bool:
    """UTF-8, perhaps cut off in the middle of its last character, or marked as UTF-16."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


_ZIP = "application/zip"
_OLE = "application/x-ole-storage"
_MP4 = "video/mp4"
_OGG = "application/ogg"
_MATROSKA = "video/x-matroska"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"

_MAGIC_OF_TEXT = (
    (b"%PDF-", 0, "application/pdf"),
    (b"{\\rtf", 0, "application/rtf"),
)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"WAVE", 8, "audio/wav"),
    (b"AVI ", 8, "video/x-msvideo"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftypM4A", 4, "audio/mp4"),
    (b"ftyp", 4, _MP4),
    (b"\x1a\x45\xdf\xa3", 0, _MATROSKA),
    (b"BM", 0, "image/bmp"),
    (b"II*\0", 0, "image/tiff"),
    (b"MM\0*", 0, "image/tiff"),
    (b"\0\0\1\0", 0, "image/x-icon"),
    *_MAGIC_OF_TEXT,
    (b"PK\3\4", 0, _ZIP),
    (b"PK\5\6", 0, _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, _OLE),
    (b"\x1f\x8b", 0, "application/gzip"),
    (b"BZh", 0, "application/x-bzip2"),
    (b"\xfd7zXZ\0", 0, "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", 0, "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", 0, "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", 0, "application/vnd.rar"),
    (b"ustar", 257, "application/x-tar"),
    (b"PAR1", 0, "application/vnd.apache.parquet"),
    (b"ARROW1", 0, "application/vnd.apache.arrow.file"),
    (b"SQLite format 3\0", 0, "application/vnd.sqlite3"),
    (b"\x89HDF\r\n\x1a\n", 0, "application/x-hdf5"),
    (b"\x93NUMPY", 0, "application/x-npy"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
    (b"\xff\xf3", 0, "audio/mpeg"),
    (b"OggS", 0, _OGG),
    (b"fLaC", 0, "audio/flac"),
    (b"MThd", 0, "audio/midi"),
    (b"\0\1\0\0\0", 0, "font/ttf"),
    (b"OTTO", 0, "font/otf"),
    (b"wOF2", 0, "font/woff2"),
    (b"\x7fELF", 0, "application/x-executable"),
)
"""First bytes, where they stand, what they mean."""

_INSIDE = {
    _ZIP: {
        "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
        "xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        "docx": f"{_OFFICE}.wordprocessingml.document",
        "pptx": f"{_OFFICE}.presentationml.presentation",
        "ods": f"{_OPEN}.spreadsheet",
        "odt": f"{_OPEN}.text",
        "odp": f"{_OPEN}.presentation",
        "epub": "application/epub+zip",
        "npz": "application/x-npz",
        "whl": "application/x-wheel+zip",
    },
    _OLE: {
        "xls": "application/vnd.ms-excel",
        "doc": "application/msword",
        "ppt": "application/vnd.ms-powerpoint",
        "msg": "application/vnd.ms-outlook",
    },
    _MP4: {"m4a": "audio/mp4", "mov": "video/quicktime"},
    _MATROSKA: {"webm": "video/webm"},
    _OGG: {"ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "ogv": "video/ogg"},
}
"""Kinds that are a shell around others: the ending tells which."""

_WITHOUT_MAGIC = {"pkl": "application/x-pickle", "pickle": "application/x-pickle", "mp3": "audio/mpeg"}

_TEXTS = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "geojson": "application/geo+json",
    "jsonl": "application/jsonl",
    "ndjson": "application/jsonl",
    "ipynb": "application/x-ipynb+json",
    "md": "text/markdown",
    "html": "text/html",
    "htm": "text/html",
    "svg": SVG,
    "xml": "application/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "toml": "application/toml",
    "sql": "application/sql",
    "tex": "text/x-tex",
    "py": "text/x-python",
    "js": "text/javascript",
    "css": "text/css",
    "r": "text/x-r",
    "sh": "text/x-shellscript",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "eml": "message/rfc822",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "ps": "application/postscript",
    "eps": "application/postscript",
}

_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    SVG: ".svg",
    "text/html": ".html",
    "application/pdf": ".pdf",
    "application/json": ".json",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
    _MP4: ".mp4",
    TEXT: ".txt",
}
