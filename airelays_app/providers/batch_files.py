"""What wires have in common whose batches are files of lines: requests go up, results come down.

They mark a batch with our id in its metadata, and list batches newest first.
"""

import secrets
from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType

from airelays_app.dialects.base import Json
from airelays_app.framing.jsontext import dumps
from airelays_app.providers.base import BatchCaller, BatchJob, BatchReply, Relayed, SoughtBatch
from airelays_app.providers.batch_calls import ACCEPT, CLOCKS_APART_SECONDS, id_of, safe_id

MARK = "airelays"
"""The entry of a batch's metadata that has our id."""


def uploaded(
    job: BatchJob, line: Mapping[str, str], fields: Mapping[str, str], caller: BatchCaller
) -> str:
    """Send the requests up; return the file's id.

    ``line`` is what each has beside its id and its body, ``fields`` is what is said of the file.
    """
    content = b"".join(
        b'%b,"body":%b}\n' % (dumps({"custom_id": each.custom_id, **line})[:-1], each.body)
        for each in job.lines
    )
    headers, form = _form(fields, filename=f"{job.id}.jsonl", content=content)
    return id_of(caller.ask(Relayed("POST", "/files", headers, form)))


def result_lines(batch: Json, names: Sequence[str], caller: BatchCaller) -> Generator[Json]:
    """Yield the lines of the files whose ids a batch has under ``names``, as far as it has them."""
    for name in names:
        if file_id := batch.get(name):
            target = f"/files/{safe_id(file_id)}/content"
            yield from caller.lines(Relayed("GET", target, MappingProxyType({})))


def reply_in(line: Json) -> BatchReply | None:
    """Return a line's result; None for a line without the answer to a request."""
    response, custom_id = line.get("response"), line.get("custom_id")
    if not isinstance(response, dict) or not isinstance(custom_id, str):
        return None
    status, body = response.get("status_code"), response.get("body")
    if not isinstance(status, int) or not isinstance(body, dict):
        return None
    return BatchReply(custom_id, status, body)


def marked_in(batches: Sequence[Json], sought: SoughtBatch) -> str | None:
    """Return the id of the batch with our mark, if it is there."""
    ours = (each for each in batches if (each.get("metadata") or {}).get(MARK) == sought.id)
    return next(map(id_of, ours), None)


def is_older(batch: Json, sought: SoughtBatch) -> bool:
    """Tell whether a batch was made before the one that is looked for."""
    made = batch.get("created_at")
    return not isinstance(made, int) or made < sought.sent_at - CLOCKS_APART_SECONDS


def _form(
    fields: Mapping[str, str], *, filename: str, content: bytes
) -> tuple[Mapping[str, str], bytes]:
    """Return the headers and the body of a form with one file."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    headers = {**ACCEPT, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    return headers, "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
