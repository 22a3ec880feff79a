"""The conversation of a neutral request, written as ``systemInstruction`` and ``contents``."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from airelays_app.dialects.base import Json
from airelays_app.dialects.gemini.parts_out import call_part, encode_parts, result_part
from airelays_app.dialects.gemini.seals import DIALECT, UNCHECKED, sealed_part
from airelays_app.neutral.losses import Loss
from airelays_app.neutral.request import (
    Message,
    Part,
    Reasoning,
    Request,
    Text,
    ToolCall,
    ToolResult,
)
from airelays_app.neutral.seals import Seal
from airelays_app.neutral.steering import after_leading, leading_texts


def encode_conversation(
    request: Request, losses: list[Loss], *, seals_calls: bool
) -> tuple[list[Json], list[Json]]:
    """Return the parts of ``systemInstruction``, and ``contents``.

    With ``seals_calls`` the first call of each step has a signature, be it one that says that the
    model did not make the call. If nothing but steering text was said, it is the user's.
    """
    system = list(encode_parts(leading_texts(request), losses))
    said = list(after_leading(request.messages))
    contents = list(_contents(_Conversation(said, losses), said))
    if seals_calls:
        contents = [_with_sealed_call(content) for content in contents]
    if contents:
        return system, contents
    return [], [{"role": "user", "parts": system or [{"text": ""}]}]


def _contents(conversation: "_Conversation", messages: Iterable[Message]) -> Iterator[Json]:
    for speaker, said in groupby(messages, key=_speaker):
        parts = conversation.written(speaker, [part for message in said for part in message.parts])
        if parts:
            yield {"role": speaker, "parts": parts}


def _speaker(message: Message) -> str:
    """Return who says it; what one side says in a row is one content."""
    return "model" if message.role == "assistant" else "user"


def _with_sealed_call(content: Json) -> Json:
    for index, part in enumerate(content["parts"]):
        if "functionCall" in part:
            parts = list(content["parts"])
            parts[index] = {"thoughtSignature": UNCHECKED, **part}
            return {**content, "parts": parts}
    return content


class _Conversation:
    """Knows the calls of a conversation: the names of their functions, their order, their seals."""

    def __init__(self, messages: Iterable[Message], losses: list[Loss]) -> None:
        parts = [part for message in messages for part in message.parts]
        calls = [part for part in parts if isinstance(part, ToolCall)]
        self._losses = losses
        self._names = {call.call_id: call.name for call in calls}
        self._order = {call.call_id: place for place, call in enumerate(calls)}
        seals = filter(None, map(_seal_of, parts))
        self._seals = {seal.id: seal.payload for seal in seals if seal.form == "call"}

    def written(self, speaker: str, said: list[Part]) -> list[Json]:
        """Return the parts of a content; results come first, as the answer to the calls before."""
        if speaker == "model":
            return list(self._of_model(said))
        results = [part for part in said if isinstance(part, ToolResult)]
        rest = [part for part in said if not isinstance(part, ToolResult)]
        return [*self._results(results), *encode_parts(rest, self._losses)]

    def _of_model(self, parts: list[Part]) -> Iterator[Json]:
        """Yield the parts; a thought is in the seal behind it, whatever its text says of it."""
        waiting: dict[str, str] = {}
        is_sealed = any(map(_seal_of, parts))
        for part in parts:
            match part:
                case Reasoning() if seal := _seal_of(part):
                    if own := sealed_part(part):
                        yield own
                    elif seal.id not in self._names:
                        waiting[seal.form] = seal.payload
                case Reasoning() if is_sealed:
                    continue
                case ToolCall():
                    signature = self._seals.get(part.call_id) or waiting.pop("call", None)
                    yield _signed(call_part(part), signature)
                case Text(text=text) if text:
                    yield _signed({"text": text}, waiting.pop("text", None))
                case _:
                    yield from encode_parts([part], self._losses)
        if "text" in waiting:
            yield _signed({"text": ""}, waiting["text"])

    def _results(self, results: list[ToolResult]) -> Iterator[Json]:
        """Yield the results in the order of their calls, then what else the tools gave."""
        known = [result for result in results if result.call_id in self._names]
        for result in sorted(known, key=lambda result: self._order[result.call_id]):
            yield result_part(result, self._names[result.call_id])
        for result in results:
            rest = _beside_text(result) if result in known else _as_text(result)
            yield from encode_parts(rest, self._losses)


def _signed(part: Json, signature: str | None) -> Json:
    return {**part, "thoughtSignature": signature} if signature else part


def _seal_of(part: Part) -> Seal | None:
    """Return the seal of one of this dialect's upstreams."""
    seal = part.seal if isinstance(part, Reasoning) else None
    return seal if seal and seal.dialect == DIALECT else None


def _beside_text(result: ToolResult) -> Iterable[Part]:
    """A result holds text only for every model, so images of it follow the results."""
    return (part for part in result.parts if not isinstance(part, Text))


def _as_text(result: ToolResult) -> tuple[Part, ...]:
    """A result whose call has been cut off from the conversation can only be told."""
    return Text(f"Result of the tool call {result.call_id}:"), *result.told
