"""Multipart uploads: streamed to disk as they come, refused as soon as a limit is passed."""

import tempfile
from typing import IO, Any, cast

from flask import Request, request
from werkzeug.datastructures import FileStorage
from werkzeug.formparser import FormDataParser

from airelays_app.errors import BadRequest, TooLarge, Unprocessable, UnsupportedMediaType
from airelays_app.store.faults import disk_faults
from airelays_app.web.context import services
from airelays_app.web.form_stream import FormStream

_FORM_OVERHEAD = 1024 * 1024
"""Room for the other fields and the part headers of an upload."""


class _LimitedFile:
    """A temporary file that refuses to grow beyond ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        with disk_faults():
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the upload
        self._limit = limit
        self._size = 0

    def write(self, data: bytes) -> int:
        """Append ``data``; raises TooLarge, and Unavailable when the disk is full."""
        self._size += len(data)
        if self._size > self._limit:
            raise TooLarge(
                f"The file has more than {self._limit} bytes, the limit uploads.max_upload_bytes."
            )
        rest = memoryview(data)
        with disk_faults():
            while rest:
                rest = rest[self._file.write(rest) :]
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class RelayRequest(Request):
    """Flask's request with strict, bounded form parsing.

    The environment does not hold it, which holds the environment: both would stay until the next
    search for garbage.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ, populate_request=False)

    def make_form_data_parser(self) -> FormDataParser:
        """Return a parser that raises ValueError for a broken form instead of hiding it."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser

    def _get_stream_for_parsing(self) -> IO[bytes]:
        """Return the body in reads that a form's decoder understands."""
        stream = super()._get_stream_for_parsing()
        boundary = self.mimetype_params.get("boundary")
        if self.mimetype != "multipart/form-data" or not boundary:
            return stream
        return cast(IO[bytes], FormStream(stream, boundary.encode("latin-1", "replace")))

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return cast(IO[bytes], _LimitedFile(services().settings.uploads.max_upload_bytes))


def uploaded_file() -> FileStorage:
    """Return the form's part ``file``; raises UnsupportedMediaType, BadRequest, Unprocessable."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send the file as multipart/form-data, in the part file.")
    request.max_content_length = services().settings.uploads.max_upload_bytes + _FORM_OVERHEAD
    try:
        file = request.files.get("file")
    except ValueError as error:
        raise BadRequest("The multipart form is broken or cut short.") from error
    if file is None:
        raise Unprocessable("file is required: a form part with a file name.", param="file")
    return file
