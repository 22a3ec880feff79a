"""Which call a result answers.

``id`` is optional on this wire: without it, the name and the order decide (API reference,
"FunctionResponse", seen 2026-11-25). The other dialects cannot do without one, so a call without
an id gets its number in the conversation, the same one in each turn.
"""

MADE_UP = "gemini_call_"
"""How an id begins that no upstream and no client has given."""


class CallIds:
    """Gives each call its id and finds it again for the result."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []

    def of_call(self, name: str, id_: str | None) -> str:
        """Return the id of the next call of the conversation."""
        given = id_ or self._next()
        self._open.append((given, name))
        return given

    def of_result(self, name: str, id_: str | None) -> str:
        """Return the id of the call that the next result answers."""
        matching = next((call for call in self._open if id_ and call[0] == id_), None) or next(
            (call for call in self._open if call[1] == name), None
        )
        if matching is None:
            return id_ or self._next()
        self._open.remove(matching)
        return matching[0]

    def _next(self) -> str:
        self._count += 1
        return f"{MADE_UP}{self._count}"
