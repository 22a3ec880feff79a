"""The conversation of a Gemini request, read into neutral messages."""

from collections.abc import Iterator
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import objects, optional_object, wrong_type
from airelays_app.dialects.gemini.call_ids import CallIds
from airelays_app.dialects.gemini.parts_in import read_parts
from airelays_app.neutral.request import Message, Text, ToolResult

_SPEAKERS = ("user", "function", "tool", "", None)
"""Roles of the client's side; a role may be left out."""


def read_system(body: Json) -> Iterator[Message]:
    """Yield ``systemInstruction`` as a message; its role says nothing."""
    instruction = optional_object(body, "systemInstruction")
    if instruction is None:
        return
    parts = read_parts(instruction.get("parts"), "systemInstruction.parts", CallIds())
    texts = tuple(part for part in parts if isinstance(part, Text))
    if texts:
        yield Message("system", texts)


def read_contents(value: Any) -> Iterator[Message]:
    """Yield the messages; raises Unprocessable."""
    calls = CallIds()
    for path, content in objects(value, "contents"):
        role = content.get("role")
        parts = tuple(read_parts(content.get("parts"), f"{path}.parts", calls))
        if role == "model":
            yield Message("assistant", parts)
        elif role in _SPEAKERS:
            yield from _of_client(parts)
        else:
            raise wrong_type(f"{path}.role", "user or model")


def _of_client(parts: tuple[Any, ...]) -> Iterator[Message]:
    """Results are a message of their own, before anything else that was said."""
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    rest = tuple(part for part in parts if not isinstance(part, ToolResult))
    if results:
        yield Message("tool", results)
    if rest or not results:
        yield Message("user", rest)
