"""How earlier releases wrote conversations, read into today's items.

Until 0.22 a conversation kept its items as one JSON text in ``conversations.seed_items_json``.
0.2.x stored whatever the client had sent there, a plain string included (seen 2026-11-22).
"""

import json
from typing import Any


def items_of_seed(text: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Return the items that ``seed_items_json`` holds, and the JSON of what is not an item.

    A string is what a user said. Text that is not JSON is returned whole as unreadable.
    """
    if not text:
        return [], None
    try:
        seed = json.loads(text)
    except ValueError:
        return [], text
    entries = seed if isinstance(seed, list) else [] if seed is None else [seed]
    items = [item for entry in entries if (item := _item(entry)) is not None]
    strange = [entry for entry in entries if _item(entry) is None]
    return items, json.dumps(strange) if strange else None


def _item(entry: Any) -> dict[str, Any] | None:
    if isinstance(entry, dict):
        return entry
    if isinstance(entry, str):
        return {"type": "message", "role": "user", "content": entry}
    return None
