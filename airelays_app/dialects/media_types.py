"""The media type that a file's name tells: the same on every machine.

Python's own table knows few documents, and what the system adds to it differs from one machine to
the next. The further rows are the documents, texts and images that models read (OpenAI's guide to
file inputs, seen 2026-11-25); source code counts as plain text.
"""

import mimetypes

UNKNOWN = "application/octet-stream"

_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_FURTHER = {
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".jsonl": "application/json",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".odp": f"{_OPEN_DOCUMENT}.presentation",
    ".ods": f"{_OPEN_DOCUMENT}.spreadsheet",
    ".odt": f"{_OPEN_DOCUMENT}.text",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".rtf": "application/rtf",
    ".webp": "image/webp",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_PLAIN = (
    ".cc .cfg .conf .cpp .cs .css .diff .go .hpp .ini .java .js .jsx .kt .log .lua .patch .php .pl "
    ".ps1 .py .r .rb .rs .rst .sh .sql .srt .swift .tex .toml .ts .tsx .vtt .vue"
)


def _table() -> mimetypes.MimeTypes:
    table = mimetypes.MimeTypes()
    for extension, kind in {**dict.fromkeys(_PLAIN.split(), "text/plain"), **_FURTHER}.items():
        table.add_type(kind, extension)
    return table


_TABLE = _table()


def media_type_of(filename: str) -> str | None:
    """Return the type that the extension tells, or None; a compressed file is not its content."""
    kind, encoding = _TABLE.guess_type(filename.rpartition("/")[2])
    return kind if encoding is None else None
