"""What a file is called in a message, and what it is: names without paths or tricks, and true MIME types."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from typing import Final

__all__ = ["content_type", "file_name", "suffix_of"]

# Besides controls: what turns the direction of writing, so that gpj.exe is not read as exe.jpg.
_TURNS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DROPPED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LONGEST: Final = 200

# What the system's table may lack, or names by an old name.
_MODERN: Final = {
    ".arrow": "application/vnd.apache.arrow.file",
    ".avif": "image/avif",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".feather": "application/vnd.apache.arrow.file",
    ".geojson": "application/geo+json",
    ".gz": "application/gzip",
    ".ics": "text/calendar",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".ndjson": "application/x-ndjson",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".parquet": "application/vnd.apache.parquet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".py": "text/x-python",
    ".sql": "application/sql",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".tsv": "text/tab-separated-values",
    ".webp": "image/webp",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\x1f\x8b", "application/gzip"),
)
# Without files: the same types on every machine.
_KNOWN: Final = mimetypes.MimeTypes()


def file_name(given: str) -> str:
    r"""The name alone: no folders, no control characters, nothing that turns its letters around.

    >>> file_name("../../etc/passwd"), file_name("C:\\data\\Übersicht.xlsx"), file_name("..")
    ('passwd', 'Übersicht.xlsx', 'attachment')
    """
    name = re.split(r"[/\\]", given)[-1]
    name = "".join(
        character
        for character in unicodedata.normalize("NFC", name)
        if character not in _TURNS and unicodedata.category(character) not in _DROPPED
    ).strip()
    if not name.strip("."):
        return "attachment"
    if len(name) > _LONGEST:
        stem, dot, suffix = name.rpartition(".")
        keep = f"{dot}{suffix}" if stem and len(suffix) <= 10 else ""
        name = name[: _LONGEST - len(keep)] + keep
    return name


def content_type(name: str, data: bytes = b"") -> str:
    """The MIME type by the name's suffix, else by the first bytes, else ``application/octet-stream``."""
    suffix = f".{name.rpartition('.')[2].lower()}" if "." in name else ""
    if suffix in _MODERN:
        return _MODERN[suffix]
    guessed, encoding = _KNOWN.guess_type(f"file{suffix}", strict=True)
    if (
        guessed is not None
        and encoding is None
        # Such parts may not be in base64 (RFC 2046, 5.2.1), which alone keeps a file byte for byte.
        and guessed != "message/rfc822"
        and not guessed.startswith("multipart/")
    ):
        return guessed
    for signature, kind in _MAGIC:
        if data.startswith(signature):
            return kind
    return "application/octet-stream"


def suffix_of(kind: str) -> str:
    """The suffix of a file of this MIME type; empty where none is known.

    >>> suffix_of("text/plain"), suffix_of("message/rfc822"), suffix_of("x/unknown")
    ('.txt', '.eml', '')
    """
    return _KNOWN.guess_extension(kind) or next((suffix for suffix, named in _MODERN.items() if named == kind), "")
