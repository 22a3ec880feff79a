"""The conversation of a neutral request, written as ``system`` and alternating turns."""

from collections.abc import Iterable, Iterator

from airelays_app.dialects.base import Json
from airelays_app.dialects.messages.blocks_out import encode_parts
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Message, Request, Text
from airelays_app.neutral.steering import as_reminder

_STEERING = ("system", "developer")


def encode_conversation(request: Request, losses: list[Loss]) -> tuple[list[Json], list[Json]]:
    """Return ``system`` and ``messages``.

    Steering text before the conversation is ``system``. If nothing else was said it is the
    user's, because a conversation must not be empty. Later steering text is a reminder in the
    user's turn, where every model takes it and it spoils no cached prefix.
    """
    system = list(encode_parts(_leading_texts(request), losses))
    messages = list(_turns(_after_leading(request.messages), losses))
    if messages:
        return system, messages
    return [], [{"role": "user", "content": system or ""}]


def _leading_texts(request: Request) -> Iterator[Text]:
    if request.instructions:
        yield Text(request.instructions)
    for message in request.messages:
        if message.role not in _STEERING or message.in_place:
            return
        yield from (part for part in message.parts if isinstance(part, Text))


def _after_leading(messages: Iterable[Message]) -> Iterator[Message]:
    begun = False
    for message in messages:
        begun = begun or message.in_place or message.role not in _STEERING
        if begun:
            yield message


def _turns(messages: Iterable[Message], losses: list[Loss]) -> Iterator[Json]:
    """Join what one side said in a row: parallel results must be in one turn."""
    role, blocks = "", list[Json]()
    for message in messages:
        said = list(_blocks(message, losses))
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


def _blocks(message: Message, losses: list[Loss]) -> Iterator[Json]:
    if message.role not in _STEERING:
        return encode_parts(message.parts, losses)
    texts = [part for part in message.parts if isinstance(part, Text)]
    return encode_parts(map(_as_reminder, texts), losses)


def _as_reminder(text: Text) -> Text:
    return Text(as_reminder(text.text), cache=text.cache) if text.text.strip() else text
