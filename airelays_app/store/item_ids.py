"""Ids of stored items: kept when the item brings a free one, made by type otherwise."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from airelays_app.ids import fresh_id

_ID = re.compile(r"[\x21-\x7e]{1,512}")
_NUMBERED = re.compile(r"[a-z]+_([0-7][0-9a-f]{15})[0-9a-f]{16}")
_TYPE = re.compile(r"[\x21-\x7e]{1,128}")
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


def own_id(item: dict[str, Any]) -> str | None:
    """Return the id that the item brings, None when it has none or one that cannot be kept."""
    offered = item.get("id")
    return offered if isinstance(offered, str) and _ID.fullmatch(offered) else None


def searchable(text: str) -> str:
    """Return ``text`` without lone surrogates, which SQLite cannot take and no id of ours has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def identified(
    items: Iterable[dict[str, Any]], *, taken: set[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield ``(item_id, type, item with that id)`` for each item, in order.

    An item without a type is a message. An id that is missing, unusable or in ``taken`` is
    replaced by a fresh one; ``taken`` grows by the ids handed out.
    """
    for item in items:
        kind = _type(item)
        item_id = own_id(item)
        if item_id is None or item_id in taken:
            item_id = fresh_id(_PREFIX_OF_TYPE.get(kind, "item"))
        taken.add(item_id)
        yield item_id, kind, item if item.get("id") == item_id else {**item, "id": item_id}


def numbered(items: Iterable[dict[str, Any]], number: int) -> Iterator[dict[str, Any]]:
    """Yield the items that were given to the reply ``number``, each with an id.

    The ids that are made are always the same and say the number; see :func:`number_in`.
    """
    for index, item in enumerate(items):
        prefix = _PREFIX_OF_TYPE.get(_type(item), "item")
        made = f"{prefix}_{number:016x}{index:016x}"
        yield item if own_id(item) else {**item, "id": made}


def number_in(item_id: str) -> int | None:
    """Return the number of the reply that the item was given to, if its id was made to say it."""
    made = _NUMBERED.fullmatch(item_id)
    return int(made[1], 16) if made else None


def _type(item: dict[str, Any]) -> str:
    kind = item.get("type")
    return kind if isinstance(kind, str) and _TYPE.fullmatch(kind) else "message"
