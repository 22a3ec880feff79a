"""The conversation of a Gemini request, read into neutral messages."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from airelays_app.dialects.base import Json
from airelays_app.dialects.fields import objects, optional_object, wrong_type
from airelays_app.dialects.gemini.call_ids import CallIds
from airelays_app.dialects.gemini.parts_in import DATA, parts_of, read_parts, without
from airelays_app.neutral.request import Message, Part, Text, ToolResult

_SPEAKERS = ("user", "function", "tool", "", None)
"""Roles of the client's side; a role may be left out."""


def read_system(body: Json) -> Iterator[Message]:
    """Yield ``systemInstruction``, which is text, as a message; its role says nothing."""
    instruction = optional_object(body, "systemInstruction")
    if instruction is None:
        return
    given = without(DATA, parts_of(instruction, "systemInstruction"))
    parts = read_parts(given, CallIds())
    texts = tuple(part for part in parts if isinstance(part, Text))
    if texts:
        yield Message("system", texts)


def read_contents(value: Any) -> Iterator[Message]:
    """Yield the messages; raises Unprocessable.

    google-genai 3.6 sends each piece of a stream back as a content of its own.
    """
    calls = CallIds()
    for is_models, contents in groupby(objects(value, "contents"), key=_is_models):
        if is_models:
            pieces = (part for path, content in contents for part in parts_of(content, path))
            said = read_parts(without(("functionResponse",), pieces), calls)
            yield Message("assistant", tuple(_with_whole_texts(said)))
            continue
        for path, content in contents:
            if content.get("role") not in _SPEAKERS:
                raise wrong_type(f"{path}.role", "user or model")
            parts = without(("functionCall",), parts_of(content, path))
            yield from _of_client(tuple(read_parts(parts, calls)))


def _is_models(entry: tuple[str, Json]) -> bool:
    return entry[1].get("role") == "model"


def _with_whole_texts(parts: Iterable[Part]) -> Iterator[Part]:
    for is_text, group in groupby(parts, key=lambda part: isinstance(part, Text)):
        if is_text:
            yield Text("".join(part.text for part in group if isinstance(part, Text)))
        else:
            yield from group


def _of_client(parts: tuple[Any, ...]) -> Iterator[Message]:
    """Results are a message of their own, before anything else that was said."""
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    rest = tuple(part for part in parts if not isinstance(part, ToolResult))
    if results:
        yield Message("tool", results)
    if rest or not results:
        yield Message("user", rest)
