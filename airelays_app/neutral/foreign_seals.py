"""Seals that another upstream made: dropped before the call, because they would be refused."""

from dataclasses import replace

from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Message, Part, Reasoning, Request

FOREIGN_SEAL = Loss("reasoning", "its seal was made by another upstream, and only that can open it")


def without_foreign_seals(
    request: Request, *, dialect: str, provider: str
) -> tuple[Request, tuple[Loss, ...]]:
    """Return the request with only the seals that ``provider`` made in ``dialect``.

    A seal that came unpacked tells nothing of its provider and is believed.
    """
    if not any(_is_foreign(p, dialect, provider) for m in request.messages for p in m.parts):
        return request, ()
    messages = tuple(_kept(message, dialect, provider) for message in request.messages)
    return replace(request, messages=messages), (FOREIGN_SEAL,)


def _is_foreign(part: Part, dialect: str, provider: str) -> bool:
    if not isinstance(part, Reasoning) or part.seal is None:
        return False
    return part.seal.dialect != dialect or part.seal.provider not in ("", provider)


def _kept(message: Message, dialect: str, provider: str) -> Message:
    return replace(message, parts=tuple(_unsealed(p, dialect, provider) for p in message.parts))


def _unsealed(part: Part, dialect: str, provider: str) -> Part:
    if isinstance(part, Reasoning) and _is_foreign(part, dialect, provider):
        return replace(part, seal=None)
    return part
