"""Ids of calls that differ, where a server has numbered the calls of each turn anew.

Vendors refuse a conversation in which two calls have one id, or take the results of one for the
other's; some servers begin with ``call_0`` in every reply (public reports, seen 2026-11-25).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from airelays_app.neutral.request import Message, Part, Request, ToolCall, ToolResult


def with_unique_calls(request: Request) -> Request:
    """Return the request with no two calls of one id; the same object if there are none.

    The first one keeps its id, and the same conversation always gets the same ones.
    """
    ids = [part.call_id for message in request.messages for part in _calls(message)]
    if len(ids) == len(set(ids)):
        return request
    names = _Names(set(ids))
    messages = (
        replace(message, parts=tuple(map(names.named, message.parts)))
        for message in request.messages
    )
    return replace(request, messages=tuple(messages))


def _calls(message: Message) -> Iterator[ToolCall]:
    return (part for part in message.parts if isinstance(part, ToolCall))


class _Names:
    """Gives calls their ids in the order of the conversation, and results those of their calls.

    Results of calls with one id are taken in the order of these calls.
    """

    def __init__(self, known: set[str]) -> None:
        self._known = known
        self._seen: dict[str, int] = {}
        self._waiting: dict[str, deque[str]] = {}
        self._answered: dict[str, str] = {}

    def named(self, part: Part) -> Part:
        match part:
            case ToolCall():
                return replace(part, call_id=self._begun(part.call_id))
            case ToolResult():
                return replace(part, call_id=self._of_result(part.call_id))
        return part

    def _begun(self, id_: str) -> str:
        count = self._seen[id_] = self._seen.get(id_, 0) + 1
        name = id_ if count == 1 else f"{id_}_{count}"
        while count > 1 and name in self._known:
            name += "_"
        self._known.add(name)
        self._waiting.setdefault(id_, deque()).append(name)
        return name

    def _of_result(self, id_: str) -> str:
        if waiting := self._waiting.get(id_):
            self._answered[id_] = waiting.popleft()
        return self._answered.get(id_, id_)
