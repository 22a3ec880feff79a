"""The summary of a conversation in the opaque field of a ``compaction`` item.

Nothing of it is kept here. When it comes back it is written out again, for any upstream: what the
user said, word for word, and the summary of everything.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import wrong_type
from airelays_app.framing.jsontext import dumps, loads

_PREFIX = "airelays_compaction_1_"
_MOST_USER_CHARACTERS = 40_000
"""How much of what the user said is kept word for word; what was said last is."""

_INTRODUCTION = (
    "The conversation before this was compacted. What stands above are messages of mine; this is "
    "a summary of everything that was said and done:\n\n"
)


def packed(items: Iterable[Json], summary: str) -> str:
    """Return the summary of ``items``, with what the user said in them, as opaque text."""
    fields = dumps([_user_texts(items), summary])
    return _PREFIX + base64.urlsafe_b64encode(fields).decode()


def is_packed(item: object) -> bool:
    """Tell whether an item is a compaction of ours, which no upstream can read."""
    if not isinstance(item, dict) or item.get("type") != "compaction":
        return False
    text = item.get("encrypted_content")
    return isinstance(text, str) and text.startswith(_PREFIX)


def opened(item: Json, path: str) -> Iterator[Json]:
    """Yield the messages that a compaction of ours stands for; raises Unprocessable."""
    fields = _fields_of(item["encrypted_content"].removeprefix(_PREFIX))
    if fields is None:
        raise wrong_type(f"{path}.encrypted_content", "as it came, whole and unchanged")
    texts, summary = fields
    for text in (*texts, f"{_INTRODUCTION}{summary}"):
        yield {"type": "message", "role": "user", "content": text}


def transcript(items: Iterable[Json]) -> str:
    """Return a conversation as text, for whoever summarises it."""
    return "\n\n".join(filter(None, map(_told, items)))


def _user_texts(items: Iterable[Json]) -> list[str]:
    texts: list[str] = []
    left = _MOST_USER_CHARACTERS
    said = [_text_of(item.get("content")) for item in items if item.get("role") == "user"]
    for text in reversed(said):
        left -= len(text)
        if left < 0:
            break
        if text and not text.startswith(_INTRODUCTION):
            texts.append(text)
    return texts[::-1]


def _told(item: Json) -> str:
    kind = item.get("type", "message")
    match kind:
        case "message":
            return f"[{item.get('role')}]\n{_text_of(item.get('content'))}"
        case "function_call" | "custom_tool_call":
            return f"[calls {item.get('name')}]\n{item.get('arguments') or item.get('input')}"
        case "function_call_output" | "custom_tool_call_output":
            return f"[result]\n{_text_of(item.get('output'))}"
        case "reasoning":
            return ""
    return f"[{kind}]\n{dumps(item).decode()}"


def _text_of(content: Any) -> str:
    """Return the text of content; what is no text is named."""
    if isinstance(content, str):
        return content
    parts: Sequence[Any] = content if isinstance(content, list) else ()
    return "\n".join(_part_text(part) for part in parts if isinstance(part, dict))


def _part_text(part: Json) -> str:
    text = part.get("text", part.get("refusal"))
    return text if isinstance(text, str) else f"({part.get('type')} {part.get('filename') or ''})"


def _fields_of(text: str) -> tuple[list[str], str] | None:
    try:
        fields = loads(base64.b64decode(text, altchars=b"-_", validate=True))
    except ValueError:  # binascii.Error, JsonTextError and what is not ASCII
        return None
    match fields:
        case [[*texts], str(summary)] if all(isinstance(text, str) for text in texts):
            return texts, summary
    return None
