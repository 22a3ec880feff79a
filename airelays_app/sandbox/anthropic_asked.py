"""What a Messages request asks for, read into the sandbox's one value."""

from collections.abc import Iterator
from typing import Any

from airelays_app.sandbox.asked import (
    Asked,
    Tool,
    Turn,
    objects_in,
    of_turns,
    strings_in,
    text_of,
    tokens_of,
)


def from_messages(body: dict[str, Any]) -> Asked:
    """Read a Messages request; never raises."""
    messages = objects_in(body.get("messages"))
    turns = [turn for message in messages for turn in _turns(message)]
    thinking = _object(body.get("thinking"))
    choice = _object(body.get("tool_choice"))
    limit = body.get("max_tokens")
    return Asked(
        **of_turns(turns),
        **tokens_of(messages, [body.get("tools"), body.get("system")]),
        model=str(body.get("model") or ""),
        tools=tuple(_tools(body)),
        tool_choice=_choice(choice),
        parallel=choice.get("disable_parallel_tool_use") is not True,
        schema=_schema(_object(body.get("output_config")).get("format")),
        reasoning=thinking.get("type") in ("enabled", "adaptive"),
        summary=thinking.get("display") != "omitted",
        max_tokens=limit if isinstance(limit, int) else None,
        stop=tuple(strings_in(body.get("stop_sequences"))),
    )


def _turns(message: dict[str, Any]) -> Iterator[Turn]:
    """Yield a tool's turn for each result, and one for everything else that was said."""
    content, role = message.get("content"), str(message.get("role"))
    results = [block for block in objects_in(content) if block.get("type") == "tool_result"]
    for result in results:
        yield Turn("tool", text_of(result.get("content")))
    rest = content if isinstance(content, str) else _without(objects_in(content), results)
    if not results or text_of(rest):
        yield Turn(role, text_of(rest))


def _without(blocks: list[dict[str, Any]], left_out: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block for block in blocks if block not in left_out]


def _tools(body: dict[str, Any]) -> Iterator[Tool]:
    for tool in objects_in(body.get("tools")):
        if tool.get("type", "custom") == "custom":
            yield Tool(str(tool.get("name") or ""), "function", tool.get("input_schema"))


def _choice(choice: dict[str, Any]) -> str:
    kind = str(choice.get("type") or "auto")
    return {"any": "required", "tool": str(choice.get("name"))}.get(kind, kind)


def _schema(format_: Any) -> dict[str, Any] | None:
    schema = _object(format_).get("schema")
    return schema if isinstance(schema, dict) else None


def _object(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
