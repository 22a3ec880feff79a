"""The conversation of a neutral request, written as ``system`` and alternating turns."""

from collections.abc import Iterable, Iterator

from airelays_app.dialects.base import Json
from airelays_app.dialects.messages.blocks_out import encode_parts
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Message, Request
from airelays_app.neutral.steering import after_leading, leading_texts


def encode_conversation(request: Request, losses: list[Loss]) -> tuple[list[Json], list[Json]]:
    """Return ``system`` and ``messages``.

    Steering text before the conversation is ``system``. If nothing else was said it is the
    user's, because a conversation must not be empty.
    """
    system = list(encode_parts(leading_texts(request), losses))
    messages = list(_turns(after_leading(request.messages), losses))
    if messages:
        return system, messages
    return [], [{"role": "user", "content": system or ""}]


def _turns(messages: Iterable[Message], losses: list[Loss]) -> Iterator[Json]:
    """Join what one side said in a row: parallel results must be in one turn."""
    role, blocks = "", list[Json]()
    for message in messages:
        said = list(encode_parts(message.parts, losses))
        speaker = "assistant" if message.role == "assistant" else "user"
        if said and speaker != role:
            if blocks:
                yield _turn(role, blocks)
            role, blocks = speaker, []
        blocks += said
    if blocks:
        yield _turn(role, blocks)


def _turn(role: str, blocks: list[Json]) -> Json:
    """Return a turn; results come first in it, or they would not answer the calls before it."""
    ordered = sorted(blocks, key=lambda block: block["type"] != "tool_result")
    return {"role": role, "content": ordered if role == "user" else blocks}
