"""Ids of conversation items: kept when the item brings a free one, made by type otherwise."""

from collections.abc import Iterable, Iterator
from typing import Any

from airelays_app.ids import fresh_id

_PREFIX_OF_TYPE = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "image_generation_call": "ig",
    "code_interpreter_call": "ci",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "local_shell_call": "lsh",
    "local_shell_call_output": "lsho",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "compaction": "cmp",
}


def identified(
    items: Iterable[dict[str, Any]], *, taken: set[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield ``(item_id, type, item with that id)`` for each item, in order.

    An item without a type is a message. An id that is missing, not a string or in ``taken``
    is replaced by a fresh one; ``taken`` grows by the ids handed out.
    """
    for item in items:
        kind = item["type"] if isinstance(item.get("type"), str) else "message"
        offered = item.get("id")
        usable = isinstance(offered, str) and offered and offered not in taken
        item_id = str(offered) if usable else fresh_id(_PREFIX_OF_TYPE.get(kind, "item"))
        taken.add(item_id)
        yield item_id, kind, item if usable else {**item, "id": item_id}
