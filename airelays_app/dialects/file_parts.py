"""Files in a request: references to stored files and bare base64, written out inline.

The rules are those of the reference relay: images become images, documents stay documents, and
any other part that names a stored file becomes its text. Text is taken up to 1,000,000 bytes.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import optional_text, wrong_type
from airelays_app.dialects.media_types import media_type_of
from airelays_app.errors import Unprocessable
from airelays_app.neutral.request import File

MAX_TEXT_BYTES = 1_000_000

_TEXT_TYPES = frozenset(
    {
        "application/json",
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/csv",
    }
)


@dataclass(frozen=True, slots=True)
class FileContent:
    """A stored file, read."""

    filename: str
    content_type: str
    data: bytes

    @property
    def kind(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def is_image(self) -> bool:
        """Whether it is an image."""
        return self.kind.startswith("image/")

    @property
    def is_text(self) -> bool:
        """Whether it is text, or near enough to it."""
        return self.kind.startswith("text/") or self.kind in _TEXT_TYPES

    @property
    def data_url(self) -> str:
        """The file as a ``data:`` URL."""
        return f"data:{self.content_type};base64,{base64.b64encode(self.data).decode()}"


Resolve = Callable[[str, str], FileContent]
"""Reads the stored file with an id, for the field at a path; raises Unprocessable."""


def image_url_of(file: FileContent, path: str) -> str:
    """Return an image as a ``data:`` URL; raises Unprocessable for anything else."""
    if not file.is_image:
        raise Unprocessable(
            f"{path} is {file.kind}; an image part takes image files only.", param=path
        )
    return file.data_url


def document_of(file: FileContent, path: str) -> Json:
    """Return the name and the data of a document; raises Unprocessable for too long a text."""
    if file.is_text:
        require_short(file, path)
    return {"filename": file.filename, "file_data": file.data_url}


def text_of(file: FileContent, path: str) -> str:
    """Return a text file with a line that names it; raises Unprocessable."""
    if not file.is_text:
        raise Unprocessable(
            f"{path} is {file.kind}; only text files can be inlined here. Use an input_file part.",
            param=path,
        )
    require_short(file, path)
    text = file.data.decode("utf-8", "replace")
    return f"File {file.filename} ({file.kind}):\n{text}"


def require_short(file: FileContent, path: str) -> None:
    """Raise Unprocessable for a longer text than is taken."""
    if len(file.data) > MAX_TEXT_BYTES:
        raise Unprocessable(
            f"{path} is text of more than {MAX_TEXT_BYTES} bytes, the most that is taken.",
            param=path,
        )


def read_file(path: str, part: Json) -> File:
    """Return the document of a part; raises Unprocessable if it has none."""
    data, url = optional_text(part, "file_data", path), optional_text(part, "file_url", path)
    if not (data or url):
        raise wrong_type(path, "a file, with file_data, file_url or the file_id of a stored one")
    return File(filename=optional_text(part, "filename", path), data=data, url=url, path=path)


def with_data_url(part: Json, path: str) -> Json:
    """Return a document part whose ``file_data`` is a ``data:`` URL.

    Bare base64 needs a ``filename`` that tells its type; raises Unprocessable without one.
    """
    data = part.get("file_data")
    if not isinstance(data, str) or data.startswith("data:"):
        return part
    filename = part.get("filename")
    kind = media_type_of(filename) if isinstance(filename, str) else None
    if kind is None:
        raise Unprocessable(
            f"{path}.file_data is bare base64, so {path}.filename must have an extension that "
            "tells its type; or send a data: URL.",
            param=f"{path}.filename",
        )
    return {**part, "file_data": f"data:{kind};base64,{data}"}
