"""Short ways to ask the three generation routes, and to read what they answered."""

from collections.abc import Iterable
from typing import Any

from tests.conftest import SseEvent

MODEL = "gpt-5.5"
RESPONSES = "/v1/responses"
CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
IGNORED = "x-airelays-ignored-parameters"

ADD_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
ADD = {"type": "function", "name": "add", "parameters": ADD_SCHEMA, "strict": True}
"""A tool as Responses writes it."""
CHAT_ADD = {"type": "function", "function": {"name": "add", "parameters": ADD_SCHEMA}}
"""The same tool as Chat Completions writes it."""


def user(text: Any) -> list[dict[str, Any]]:
    """Return a conversation of one message."""
    return [{"role": "user", "content": text}]


def question(path: str, text: str = "[[say Hi]]", /, **more: Any) -> dict[str, Any]:
    """Return a body for any of the three routes that says ``text``."""
    said = {RESPONSES: {"input": text}, CHAT: {"messages": user(text)}}
    return {"model": MODEL, **said.get(path.removeprefix("/no-tools"), {"prompt": text}), **more}


def text_of(path: str, body: dict[str, Any]) -> str:
    """Return the visible text of a whole answer of any of the three routes."""
    if path.endswith("/responses"):
        contents = [part for item in body["output"] for part in item.get("content") or ()]
        return "".join(part.get("text", "") for part in contents)
    choice = body["choices"][0]
    return str(choice["text"] if path.endswith("/v1/completions") else choice["message"]["content"])


def streamed_text(path: str, events: Iterable[SseEvent]) -> str:
    """Return the visible text of a stream of any of the three routes."""
    return "".join(_texts(path, events))


def _texts(path: str, events: Iterable[SseEvent]) -> Iterable[str]:
    for event in events:
        if path.endswith("/responses"):
            if event.name == "response.output_text.delta":
                yield event.data["delta"]
        elif event.data != "[DONE]" and event.data.get("choices"):
            choice = event.data["choices"][0]
            yield (choice["text"] if "text" in choice else choice["delta"].get("content")) or ""


def sent_texts(body: dict[str, Any]) -> list[str]:
    """Return the texts of the messages in a Responses request, in order."""
    texts = []
    for item in body["input"]:
        content = item.get("content")
        if isinstance(content, str):
            texts.append(content)
        else:
            texts += [part["text"] for part in content or () if "text" in part]
    return texts
