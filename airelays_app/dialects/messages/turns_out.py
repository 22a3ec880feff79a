"""The conversation of a neutral request, written as ``system`` and alternating turns.

What is refused of a conversation: Anthropic's API documentation and public reports of these
refusals (seen 2026-11-25).
"""

from collections.abc import Iterable, Iterator, Sequence

from airelays_app.dialects.base import Json
from airelays_app.dialects.messages.blocks_out import encode_parts
from airelays_app.dialects.messages.thinking import REDACTED
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import Message, Request
from airelays_app.neutral.steering import after_leading, leading_texts

_OPENING: Json = {"role": "user", "content": "(You begin.)"}
"""For a conversation that the model has begun: the first turn must be the user's."""
_CLOSING: Json = {"role": "user", "content": [{"type": "text", "text": "(Go on.)"}]}
"""For one that the model has ended: newer models refuse that (Anthropic's migration guides, seen
2026-11-22), and older ones would go on within their last sentence."""


def encode_conversation(request: Request, losses: list[Loss]) -> tuple[list[Json], list[Json]]:
    """Return ``system`` and ``messages``.

    Steering text before the conversation is ``system``. If nothing else was said it is the
    user's, because a conversation must not be empty.
    """
    system = list(encode_parts(leading_texts(request), losses))
    messages = list(_turns(after_leading(request.messages), losses))
    if not messages:
        return [], [{"role": "user", "content": system or ""}]
    if messages[0]["role"] == "assistant":
        messages.insert(0, _OPENING)
    if messages[-1]["role"] == "assistant":
        messages.append(_CLOSING)
    return system, messages


def answers_without_thinking(messages: Sequence[Json]) -> bool:
    """Tell whether the last turn answers calls that came, or came back, without thinking."""
    if len(messages) < 2 or messages[-1]["content"][0]["type"] != "tool_result":
        return False
    return messages[-2]["content"][0]["type"] not in ("thinking", REDACTED)


def _turns(messages: Iterable[Message], losses: list[Loss]) -> Iterator[Json]:
    """Join what one side said in a row: parallel results must be in one turn."""
    before, turn = list[Json](), _turn("", [])
    for message in messages:
        said = list(encode_parts(message.parts, losses))
        speaker = "assistant" if message.role == "assistant" else "user"
        if said and speaker != turn["role"]:
            if turn["content"]:
                yield _in_order(turn, before)
            before, turn = turn["content"], _turn(speaker, [])
        turn["content"] += said
    if turn["content"]:
        yield _in_order(turn, before)


def _turn(role: str, blocks: list[Json]) -> Json:
    return {"role": role, "content": blocks}


def _in_order(turn: Json, before: list[Json]) -> Json:
    """Return a turn with its results first, where they answer the calls of the turn before."""
    if turn["role"] == "assistant":
        return turn
    calls = {block["id"] for block in before if block["type"] == "tool_use"}
    results, rest = list[Json](), list[Json]()
    for block in turn["content"]:
        if block["type"] != "tool_result":
            rest.append(block)
        elif block["tool_use_id"] in calls:
            results.append(block)
        else:
            rest += _told(block)
    return _turn("user", [*results, *rest])


def _told(result: Json) -> list[Json]:
    """Return the result of a call that is gone, as what the user says."""
    content = result.get("content", [])
    said = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [{"type": "text", "text": f"Result of the tool call {result['tool_use_id']}:"}, *said]
