"""``/v1/files``: stored on this machine."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any, BinaryIO
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.datastructures import FileStorage

from airelays_app.dialects.media_types import UNKNOWN, media_type_of
from airelays_app.errors import Unprocessable
from airelays_app.schemas.paging import read_paging
from airelays_app.store.files import StoredFile
from airelays_app.web.context import owner, services
from airelays_app.web.replies import json_response
from airelays_app.web.uploads import uploaded_file

blueprint = Blueprint("files", __name__, url_prefix="/v1/files")

PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
_CHUNK = 256 * 1024


def _shown(file: StoredFile) -> dict[str, Any]:
    fields = asdict(file)
    del fields["owner"]
    return {**fields, "object": "file", "status": "processed"}


@blueprint.post("")
def upload() -> Response:
    """Store the form's part ``file``."""
    file = uploaded_file()
    with closing(file):
        purpose = request.form.get("purpose") or request.args.get("purpose") or "assistants"
        if purpose not in PURPOSES:
            raise Unprocessable(f"purpose must be one of {', '.join(PURPOSES)}.", param="purpose")
        if request.form.get("expires_after"):
            raise Unprocessable("expires_after is not supported.", param="expires_after")
        stored = services().files.create(
            file.stream,
            filename=file.filename or "upload",
            purpose=purpose,
            content_type=_content_type(file),
            owner=owner() or None,
        )
    return json_response(_shown(stored))


def _content_type(file: FileStorage) -> str:
    """Return the type that the client declared, or else what the name tells."""
    if file.mimetype not in ("", UNKNOWN):
        return file.mimetype
    return media_type_of(file.filename or "") or UNKNOWN


@blueprint.get("")
def list_files() -> Response:
    """List the files, newest first unless asked otherwise."""
    paging = read_paging(request.args, default=10_000, maximum=10_000)
    page = services().files.list(
        limit=paging.limit,
        order=paging.order,
        after=paging.after,
        purpose=request.args.get("purpose") or None,
        owner=owner(),
    )
    return json_response(
        {
            "object": "list",
            "data": [_shown(file) for file in page.data],
            "first_id": page.first_id,
            "last_id": page.last_id,
            "has_more": page.has_more,
        }
    )


@blueprint.get("/<file_id>")
def retrieve(file_id: str) -> Response:
    """Describe one file."""
    return json_response(_shown(services().files.get(file_id, owner=owner())))


@blueprint.get("/<file_id>/content")
def content(file_id: str) -> Response:
    """Return a file's bytes, in a form that no browser runs on our origin."""
    stored, stream = services().files.open(file_id, owner=owner())
    response = Response(_chunks(stream))
    response.call_on_close(stream.close)
    response.headers["Content-Type"] = stored.content_type
    response.headers["Content-Length"] = str(stored.bytes)
    response.headers["Content-Disposition"] = (
        f"attachment; filename*=UTF-8''{quote(stored.filename)}"
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@blueprint.delete("/<file_id>")
def delete(file_id: str) -> Response:
    """Delete a file."""
    services().files.delete(file_id, owner=owner())
    return json_response({"id": file_id, "object": "file", "deleted": True})


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
