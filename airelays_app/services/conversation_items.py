"""A conversation's items as clients read them: what was left implicit when they came is written.

Clients validate items more strictly than they send them (the openai SDK's models, seen
2026-11-22): content is an array of parts, an item says its type and, where it can have one, its
status.
"""

from airelays_app.dialects.base import Json

_WITH_STATUS = frozenset(
    {
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
    }
)


def shown_item(item: Json) -> Json:
    """Return a stored item in full; what it says itself is kept.

    A type that is no string, as an earlier release let it in, is that of a message.
    """
    kind = item.get("type")
    kind = kind if isinstance(kind, str) else "message"
    shown = {**item, "type": kind}
    if kind in _WITH_STATUS:
        shown.setdefault("status", "completed")
    if kind == "message":
        shown["content"] = _parts(item.get("content"), item.get("role"))
    return shown


def _parts(content: object, role: object) -> list[object]:
    if isinstance(content, str):
        kind = "output_text" if role == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    return [_part(part) for part in content] if isinstance(content, list) else []


def _part(part: object) -> object:
    if isinstance(part, dict) and part.get("type") == "output_text":
        return {"annotations": [], **part}
    return part
