"""The parts of a Gemini request, read into neutral parts.

Fields: API reference, "Part", and what google-genai 3.6 and Gemini CLI 0.61 send (seen
2026-11-25). A part of another kind is opaque.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import (
    as_object,
    objects,
    optional_bool,
    optional_object,
    optional_text,
    text_field,
)
from airelays_app.dialects.gemini.call_ids import CallIds
from airelays_app.dialects.gemini.seals import DIALECT, Place, read_signature
from airelays_app.dialects.unread import unread_fields
from airelays_app.errors import Unprocessable
from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.request import (
    Audio,
    File,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)

_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}
_READ_OF_PARTS = frozenset(
    "text thought thoughtSignature inlineData fileData functionCall functionResponse".split()
)
_GOOGLES_FILES = ("generativelanguage.googleapis.com", "storage.googleapis.com")
Placed = tuple[str, Json]
"""A part, and its path in the request."""

DATA = ("functionCall", "functionResponse", "inlineData", "fileData")
"""What a part may hold instead of a text."""

_RESULT_KEYS = ("output", "result")


def parts_of(holder: Json, path: str) -> Iterator[Placed]:
    """Yield the parts that ``holder`` has; it need not have any."""
    value = holder.get("parts")
    return objects(value if value is not None else [], f"{path}.parts")


def unread_of_content(content: Json, path: str) -> Iterator[str]:
    """Yield the paths of fields of parts that :func:`read_parts` leaves out."""
    for part_path, part in parts_of(content, path):
        if not part.keys().isdisjoint(_READERS):
            yield from unread_fields(part, _READ_OF_PARTS, part_path)


def without(fields: tuple[str, ...], parts: Iterable[Placed]) -> Iterator[Placed]:
    """Yield the parts; raises Unprocessable for one that has what has no place among them."""
    for path, part in parts:
        for field in fields:
            if part.get(field) is not None:
                raise Unprocessable(f"{path}.{field} has no place here.", param=f"{path}.{field}")
        yield path, part


def read_parts(parts: Iterable[Placed], calls: CallIds) -> Iterator[Part]:
    """Yield what one side said at a time; thoughts go with the seal that stands behind them."""
    thoughts: list[str] = []
    for part_path, part in parts:
        optional_bool(part, "thought", part_path)
        if part.get("thought") is True and "thoughtSignature" not in part:
            thoughts.append(optional_text(part, "text", part_path) or "")
            continue
        for read in _read_part(part_path, part, calls):
            yield _with_thoughts(read, thoughts)
    if any(thoughts):
        yield Reasoning("".join(thoughts))


def _with_thoughts(part: Part, thoughts: list[str]) -> Part:
    if not isinstance(part, Reasoning) or part.text or not thoughts:
        return part
    text = "".join(thoughts)
    thoughts.clear()
    return Reasoning(text, part.seal)


def _read_part(path: str, part: Json, calls: CallIds) -> Iterator[Part]:
    if part.get("thought") is True:
        yield from _sealed(part, "thought", optional_text(part, "text", path) or "")
        return
    fields = _data_of(path, part)
    if fields:
        yield from _READERS[fields[0]](path, part, calls)
    elif part.keys() == {"thoughtSignature"}:
        yield from _sealed(part, "end")
    else:
        yield Opaque(DIALECT, part, path)


def _data_of(path: str, part: Json) -> list[str]:
    """Return the field with what the part says; raises Unprocessable for more than one.

    Which of them is meant nobody knows; Google refuses it, too. An empty text says nothing.
    """
    fields = [name for name in _READERS if part.get(name) is not None]
    if len(fields) > 1 and part.get("text") == "":
        fields.remove("text")
    if len(fields) > 1:
        both = " and ".join(fields)
        raise Unprocessable(f"{path} has {both}; a part is one of them.", param=path)
    return fields


def _sealed(
    part: Json, place: Place, text: str = "", id_: str | None = None
) -> Iterator[Reasoning]:
    for number, seal in enumerate(read_signature(part, place, id_)):
        yield Reasoning(text if number == 0 else "", seal)


def _read_text(path: str, part: Json, calls: CallIds) -> Iterator[Part]:  # noqa: ARG001
    text = text_field(part, "text", path)
    yield from _sealed(part, "text" if text else "end")
    if text:
        yield Text(text)


def _read_call(path: str, part: Json, calls: CallIds) -> Iterator[Part]:
    call_path = f"{path}.functionCall"
    call = as_object(part["functionCall"], call_path)
    name = text_field(call, "name", call_path)
    id_ = calls.of_call(name, optional_text(call, "id", call_path))
    yield from _sealed(part, "call", id_=id_)
    arguments = optional_object(call, "args", call_path) or {}
    yield ToolCall(id_, name, dumps(arguments).decode())


def _read_result(path: str, part: Json, calls: CallIds) -> Iterator[Part]:
    result_path = f"{path}.functionResponse"
    result = as_object(part["functionResponse"], result_path)
    name = text_field(result, "name", result_path)
    id_ = calls.of_result(name, optional_text(result, "id", result_path))
    response = optional_object(result, "response", result_path) or {}
    given = without(("functionCall", "functionResponse"), parts_of(result, result_path))
    media = read_parts(given, calls)
    yield ToolResult(id_, (*_told(response), *media), is_error=response.keys() == {"error"})


def _told(response: Json) -> Iterator[Text]:
    """Yield what a tool said: the one value under a customary key, or all of the object."""
    value: Any = response
    if len(response) == 1:
        key, only = next(iter(response.items()))
        value = only if key in (*_RESULT_KEYS, "error") else response
    if isinstance(value, str):
        yield Text(value)
    elif value or value in (0, False):
        yield Text(dumps(value).decode())


def _read_inline(path: str, part: Json, calls: CallIds) -> Iterator[Part]:  # noqa: ARG001
    data_path = f"{path}.inlineData"
    blob = as_object(part["inlineData"], data_path)
    kind, data = text_field(blob, "mimeType", data_path), text_field(blob, "data", data_path)
    data = data.replace("-", "+").replace("_", "/")
    url = f"data:{kind};base64,{data}"
    if kind.startswith("image/"):
        yield Image(url)
    elif kind in _SOUNDS:
        yield Audio(data, _SOUNDS[kind], data_path)
    else:
        name = optional_text(blob, "displayName", data_path)
        yield File(name, data=url, path=data_path)


def _read_file(path: str, part: Json, calls: CallIds) -> Iterator[Part]:  # noqa: ARG001
    file_path = f"{path}.fileData"
    file = as_object(part["fileData"], file_path)
    url = text_field(file, "fileUri", file_path)
    if not _can_be_fetched(url):
        raise Unprocessable(
            f"{file_path}.fileUri names no file that others than Google can read; this model's "
            "upstream takes http(s) addresses and inlineData.",
            param=f"{file_path}.fileUri",
        )
    kind = optional_text(file, "mimeType", file_path) or ""
    name = optional_text(file, "displayName", file_path)
    yield Image(url) if kind.startswith("image/") else File(name, url=url, path=file_path)


def _can_be_fetched(url: str) -> bool:
    try:
        where = urlsplit(url)
    except ValueError:
        return False
    return where.scheme in ("http", "https") and where.hostname not in _GOOGLES_FILES


_READERS: dict[str, Callable[[str, Json, CallIds], Iterator[Part]]] = {
    "functionCall": _read_call,
    "functionResponse": _read_result,
    "inlineData": _read_inline,
    "fileData": _read_file,
    "text": _read_text,
}
