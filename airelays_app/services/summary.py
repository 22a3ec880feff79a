"""The summary of a conversation in the opaque field of a ``compaction`` item.

Nothing of it is kept here. When it comes back it is written out again, for any upstream: what the
model was told, word for word, and the summary of everything.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import wrong_type
from airelays_app.framing.jsontext import dumps, loads

_PREFIX = "airelays_compaction_1_"
_STEERING = ("developer", "system")
_MOST_USER_CHARACTERS = 40_000
"""How much of what the user said is kept word for word; what was said last is."""

_INTRODUCTION = (
    "The conversation before this was compacted. What stands above are messages of mine; this is "
    "a summary of everything that was said and done:\n\n"
)


def compaction_text(items: Iterable[Json], summary: str) -> str:
    """Return the summary of ``items``, with what the model was told in them, as opaque text."""
    fields = dumps([_told_texts(items), summary])
    return _PREFIX + base64.urlsafe_b64encode(fields).decode()


def is_own_compaction(item: object) -> bool:
    """Tell whether an item is a compaction of ours, which no upstream can read."""
    if not isinstance(item, dict) or item.get("type") != "compaction":
        return False
    text = item.get("encrypted_content")
    return isinstance(text, str) and text.startswith(_PREFIX)


def written_out(item: Json, path: str) -> Iterator[Json]:
    """Yield the messages that a compaction of ours stands for; raises Unprocessable."""
    fields = _fields_of(item["encrypted_content"].removeprefix(_PREFIX))
    if fields is None:
        raise wrong_type(f"{path}.encrypted_content", "as it came, whole and unchanged")
    told, summary = fields
    for role, text in (*told, ("user", f"{_INTRODUCTION}{summary}")):
        yield {"type": "message", "role": role, "content": text}


def transcript(items: Iterable[Json]) -> str:
    """Return a conversation for whoever summarises it, a line of JSON for each item.

    So nothing that is said in an item can look like the beginning of another one.
    """
    return "\n".join(dumps(line).decode() for item in items if (line := _line(item)))


def _told_texts(items: Iterable[Json]) -> list[tuple[str, str]]:
    """Return role and text of all that steers the model, and of what the user said last."""
    said = [(item.get("role"), _text_of(item.get("content"))) for item in items]
    told: list[tuple[str, str]] = []
    left = _MOST_USER_CHARACTERS
    for role, text in reversed(said):
        is_said = role == "user" and not text.startswith(_INTRODUCTION)
        left -= len(text) if is_said else 0
        if text and (role in _STEERING or (is_said and left >= 0)):
            told.append((str(role), text))
    return told[::-1]


def _line(item: Json) -> Json | None:
    kind = item.get("type", "message")
    match kind:
        case "message":
            return {"from": item.get("role"), "says": _text_of(item.get("content"))}
        case "function_call" | "custom_tool_call":
            given = item.get("arguments") or item.get("input")
            return {"from": "assistant", "calls": item.get("name"), "with": given}
        case "function_call_output" | "custom_tool_call_output":
            return {"from": "tool", "answers": _text_of(item.get("output"))}
        case "image_generation_call":
            return {"from": "assistant", "draws": item.get("revised_prompt")}
        case "reasoning":
            return None
    return item


def _text_of(content: Any) -> str:
    """Return the text of content; what is no text is named."""
    if isinstance(content, str):
        return content
    parts: Sequence[Any] = content if isinstance(content, list) else ()
    return "\n".join(_part_text(part) for part in parts if isinstance(part, dict))


def _part_text(part: Json) -> str:
    text = part.get("text", part.get("refusal"))
    return text if isinstance(text, str) else f"({part.get('type')} {part.get('filename') or ''})"


def _fields_of(text: str) -> tuple[list[tuple[str, str]], str] | None:
    try:
        fields = loads(base64.b64decode(text, altchars=b"-_", validate=True))
    except ValueError:  # binascii.Error, JsonTextError and what is not ASCII
        return None
    match fields:
        case [[*told], str(summary)] if all(map(_is_told, told)):
            return [(role, text) for role, text in told], summary
    return None


def _is_told(value: Any) -> bool:
    match value:
        case [str(role), str()]:
            return role in ("user", *_STEERING)
    return False
