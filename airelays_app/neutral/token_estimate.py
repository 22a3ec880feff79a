"""How many tokens a request has, for upstreams that do not count.

The weights were fitted on 2026-11-25 to forty texts (prose in 30 languages, code, JSON, logs) as
OpenAI's o200k vocabulary and Anthropic's older public one split them. Prose in Latin script and
code come out within a quarter of either, other scripts within a half; newer vocabularies are not
public. Images and documents are guesses.
"""

import re
import string
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from airelays_app.framing.jsontext import dumps
from airelays_app.neutral.request import (
    Audio,
    File,
    HostedTool,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

_BLOB = re.compile(rb"[A-Za-z0-9+/=_-]{24,}")
_DIGIT = re.compile(rb"[0-9]")
_WORD = re.compile(rb"a+")
_INDENTATION = re.compile(rb" {2,}")
_PER_BLOB_BYTE = 0.63
_PER_WORD = 0.23
_PER_INDENTATION = 1.66

_WEIGHTS: Mapping[bytes, float] = MappingProxyType(
    {
        b"a": 0.174,
        b"0": 0.53,
        b"!": 0.56,
        b"\n": 0.95,
        b"e": 1.34,
        b"o": 0.44,
        b"c": 0.74,
        b"k": 0.81,
        b"s": 2.9,
    }
)
"""What a character of each class weighs; the others, and continuations of UTF-8, nothing."""

_CLASSES: Mapping[bytes, Iterable[int]] = MappingProxyType(
    {
        b"a": string.ascii_letters.encode(),
        b" ": b" ",
        b"0": string.digits.encode(),
        b"!": string.punctuation.encode(),
        b"\n": b"\n",
        b"e": range(0xC2, 0xCA),  # letters with accents
        b"o": range(0xCA, 0xE3),  # other alphabets
        b"c": (*range(0xE3, 0xEA), 0xEE, 0xEF),  # Chinese, Japanese
        b"k": range(0xEA, 0xEE),  # Korean
        b"s": range(0xF0, 0xF5),  # symbols, emoji
    }
)
"""The classes by the first byte of a character in UTF-8."""

_CLASS_OF = {byte: class_ for class_, first in _CLASSES.items() for byte in first}
_TABLE = b"".join(_CLASS_OF.get(byte, b".") for byte in range(256))
_SLICE_BYTES = 1 << 20
"""So much at once: other threads get their turn in between."""

_PER_MESSAGE = 4
_PER_TOOL = 12
_PER_IMAGE = 1000
_PER_DOCUMENT = 2000


def estimate(request: Request) -> int:
    """Return about how many input tokens ``request`` has, at least 1."""
    tokens = float(_PER_MESSAGE * len(request.messages))
    tokens += sum(_of_part(part) for message in request.messages for part in message.parts)
    tokens += sum(map(_of_tool, request.tools))
    tokens += _of_text(request.instructions or "")
    if request.format and request.format.schema:
        tokens += _of_json(request.format.schema)
    return max(1, round(tokens))


def _of_part(part: Part) -> float:
    match part:
        case Text(text=text) | Refusal(text=text) | Reasoning(text=text):
            return _of_text(text)
        case ToolCall(name=name, arguments=arguments):
            return _PER_MESSAGE + _of_text(name) + _of_text(arguments)
        case ToolResult(parts=parts):
            return _PER_MESSAGE + sum(map(_of_part, parts))
        case Opaque(payload=payload):
            return _of_json(payload)
        case Image():
            return _PER_IMAGE
        case File() | Audio():
            return _PER_DOCUMENT


def _of_tool(tool: Tool | HostedTool) -> float:
    if isinstance(tool, HostedTool):
        return _PER_TOOL + _of_json(tool.payload)
    words = (tool.name, tool.description or "")
    schemas = (schema for schema in (tool.parameters, tool.format) if schema)
    return _PER_TOOL + sum(map(_of_text, words)) + sum(map(_of_json, schemas))


def _of_json(value: dict[str, object]) -> float:
    return _of_text(dumps(value).decode())


def _of_text(text: str) -> float:
    data = text.encode("utf-8", "replace")
    slices = (data[at : at + _SLICE_BYTES] for at in range(0, len(data), _SLICE_BYTES))
    return sum(map(_of_bytes, slices))


def _of_bytes(data: bytes) -> float:
    blob_bytes = 0

    def taken_out(blob: re.Match[bytes]) -> bytes:
        nonlocal blob_bytes
        if not _DIGIT.search(blob[0]):
            return blob[0]
        blob_bytes += len(blob[0])
        return b""

    classes = _BLOB.sub(taken_out, data).translate(_TABLE)
    return (
        _PER_BLOB_BYTE * blob_bytes
        + _PER_WORD * len(_WORD.findall(classes))
        + _PER_INDENTATION * len(_INDENTATION.findall(classes))
        + sum(weight * classes.count(class_) for class_, weight in _WEIGHTS.items())
    )
