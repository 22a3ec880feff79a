"""``airelays serve`` with two mistakes built in, whose exceptions quote what they work on.

A request for the model ``box/crash`` fails while it is validated, a stream whose request id is
``crash-late`` after its first piece.
"""

from typing import Any

from airelays_app.cli import main
from airelays_app.schemas.generation import GenerationSchemas
from airelays_app.web.replies import ClientStream

_validate = GenerationSchemas.validate
_next_piece = ClientStream._next_piece


def validate(self: GenerationSchemas, body: dict[str, Any], **rest: Any) -> None:
    if body.get("model") == "box/crash":
        raise RuntimeError(f"a mistake with {body}")
    _validate(self, body, **rest)


def next_piece(self: ClientStream) -> bytes:
    piece = _next_piece(self)
    if self._record.request_id == "crash-late" and not self._first and b"delta" in piece:
        raise RuntimeError(f"a mistake with {piece!r}")
    return piece


if __name__ == "__main__":
    GenerationSchemas.validate = validate  # type: ignore[method-assign]
    ClientStream._next_piece = next_piece  # type: ignore[method-assign]
    main()
