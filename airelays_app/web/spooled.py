"""Request bodies that go on to a provider without being held in memory."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    Preamble,
)

from airelays_app.errors import BadRequest, TooLarge, Unprocessable, UnsupportedMediaType
from airelays_app.ids import fresh_id
from airelays_app.store.faults import disk_faults
from airelays_app.web.context import record, services
from airelays_app.web.form_stream import FormStream, Readable

_CHUNK = 256 * 1024
_DECODED_AT_ONCE = 2 * _CHUNK
"""Bytes that a form's decoder may hold: a piece, and what it cannot tell apart from a boundary."""
_IN_MEMORY = 1024 * 1024
_LONGEST_MODEL = 1024
_MODEL = "model"


class Spooled:
    """A body in a file that is gone when it is closed (on disk beyond a megabyte)."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self.length = 0

    def write(self, data: bytes) -> None:
        """Append; raises Unavailable when the disk is full."""
        self.length += len(data)
        with disk_faults():
            self._file.write(data)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body from its beginning; raises Unavailable when it is not on the disk."""
        with disk_faults():
            self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def close(self) -> None:
        """Forget the body; what a full disk has not taken need not be written any more."""
        with suppress(OSError):
            self._file.close()


def spooled_body() -> Spooled:
    """Return the request's body as it came, to be closed by the caller; raises RelayError."""
    spooled = Spooled()
    try:
        for data in _received(request.environ["wsgi.input"]):
            spooled.write(data)
    except BaseException:
        spooled.close()
        raise
    record().bytes_in = spooled.length
    return spooled


def spooled_form(rename: Callable[[str], str]) -> tuple[Spooled, str]:
    """Return the request's multipart form and its content type, the field ``model`` renamed.

    ``rename`` is called once, with the model that the client asked for; with ``""``, and must
    raise, if it named none. Everything else goes on as it came, in its order. Raises
    UnsupportedMediaType, BadRequest, Unprocessable, TooLarge.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise UnsupportedMediaType("Send this as multipart/form-data.")
    marker = boundary.encode("latin-1", "replace")
    spooled = Spooled()
    form = Form(marker, spooled, rename)
    try:
        form.copy(_received(FormStream(request.environ["wsgi.input"], marker)))
    except BaseException:
        spooled.close()
        raise
    record().bytes_in = spooled.length
    return spooled, f"multipart/form-data; boundary={form.boundary}"


class Form:
    """Copies a form part by part to ``target``; only the value of ``model`` is looked at.

    The copy has a boundary of its own.
    """

    def __init__(self, boundary: bytes, target: Spooled, rename: Callable[[str], str]) -> None:
        self.boundary = fresh_id("airelays")
        self._decoder = MultipartDecoder(boundary, _DECODED_AT_ONCE)
        self._target = target
        self._rename = rename
        self._model: bytearray | None = None
        self._has_model = False

    def copy(self, pieces: Iterator[bytes]) -> None:
        """Copy all parts; raises BadRequest for a form that is broken or cut short."""
        for piece in pieces:
            self._feed(piece)
        if not self._feed(None):
            raise _broken()
        if not self._has_model:
            self._rename("")

    def _feed(self, piece: bytes | None) -> bool:
        """Copy what a piece completes; true at the form's end."""
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), NeedData):
                self._copy(event)
                if isinstance(event, Epilogue):
                    return True
        except (ValueError, RequestEntityTooLarge) as error:
            raise _broken() from error
        return False

    def _copy(self, event: Event) -> None:
        match event:
            case Preamble():
                return
            case Field() | File():
                self._begin_part(event)
            case Data() if self._model is not None:
                self._copy_model(self._model, event)
            case Data():
                self._write(event.data, is_last=not event.more_data)
            case Epilogue():
                self._target.write(f"--{self.boundary}--\r\n".encode())

    def _begin_part(self, part: Field | File) -> None:
        """Write the part's headers as they came."""
        if isinstance(part, Field) and part.name == _MODEL and not self._has_model:
            self._model = bytearray()
        lines = [f"--{self.boundary}", *(f"{name}: {value}" for name, value in part.headers)]
        self._target.write("\r\n".join([*lines, "", ""]).encode())

    def _copy_model(self, model: bytearray, event: Data) -> None:
        model += event.data
        if len(model) > _LONGEST_MODEL:
            raise Unprocessable("model is too long.", param=_MODEL)
        if event.more_data:
            return
        renamed = self._rename(model.decode("utf-8", "replace").strip())
        self._write(renamed.encode(), is_last=True)
        self._model, self._has_model = None, True

    def _write(self, data: bytes, *, is_last: bool) -> None:
        self._target.write(data + b"\r\n" if is_last else data)


def _received(stream: Readable) -> Iterator[bytes]:
    """Yield the body as it comes; raises TooLarge for more than ``server.max_body_bytes``."""
    limit = services().settings.server.max_body_bytes
    left = request.content_length
    if left is None and "Transfer-Encoding" not in request.headers:
        return
    if left is not None and left > limit:
        raise _too_large(limit)
    received = 0
    while data := stream.read(_CHUNK if left is None else min(_CHUNK, left - received)):
        received += len(data)
        if received > limit:
            raise _too_large(limit)
        yield data
    if left is not None and received < left:
        raise BadRequest("The body is shorter than its Content-Length says.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes: server.max_body_bytes.")


def _broken() -> BadRequest:
    return BadRequest("The multipart form is broken or cut short.")
