"""A reply as Google's API sends it: the responses of a stream, and the whole one.

Order and fields: API documentation and recorded streams in public reports (2026-11-25).
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from airelays_app.sandbox import wire_json
from airelays_app.sandbox.gemini_wire import GeminiModel, error_body
from airelays_app.sandbox.plan import Frame
from airelays_app.sandbox.replies import (
    Call,
    Foreign,
    Part,
    Reasoning,
    Refusal,
    Reply,
    Text,
    Usage,
)

Json = dict[str, Any]

_REASONS = {"max_output_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}
_MYSTERY: Json = {"mysteryMetadata": {"depths": {"unknown": True}}}


@dataclass(slots=True)
class GeminiStream:
    """Turns one reply into responses. ``seal`` makes a signature out of the text of thoughts;
    ``shows`` is whether that text is shown."""

    reply: Reply
    model: GeminiModel
    seal: Callable[[str], str]
    shows: bool
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    def responses(self) -> Iterator[Json]:
        """Yield every response in order; an error ends a failing stream."""
        if self.reply.noise == "before":
            yield {**self._counted(), **_MYSTERY}
        outcome, deltas = self.reply.outcome, 0
        for part in self._pieces():
            if outcome.after is not None and deltas >= outcome.after:
                break
            deltas += "thoughtSignature" not in part or "functionCall" in part
            yield self._response([part])
        if outcome.ending in ("failed", "error"):
            yield self.error()
            return
        if self.reply.noise == "after":
            yield {**self._counted(), **_MYSTERY}
        yield self._response([{"text": ""}], **self._ending())

    def whole(self) -> Json:
        """Return the buffered response."""
        return self._response(list(self._whole_parts()), **self._ending())

    def error(self) -> Json:
        """Return the error that a failing reply breaks off with."""
        return error_body(self.reply.outcome.message, 503)

    def _response(self, parts: list[Json], **more: Any) -> Json:
        content = {"parts": parts, "role": "model"}
        candidate = {"content": content, **more, "index": 0}
        return {"candidates": [candidate], **self._counted()}

    def _counted(self) -> Json:
        counts = _usage(self.reply.usage)
        told = {"modelVersion": self.model.name, "responseId": self.id}
        return {"usageMetadata": counts, **told} if counts else told

    def _ending(self) -> Json:
        outcome = self.reply.outcome
        incomplete = outcome.ending == "incomplete"
        reason = _REASONS.get(outcome.code, outcome.code) if incomplete else "STOP"
        return {"finishReason": reason, **self._grounding()}

    def _grounding(self) -> Json:
        texts = [part for part in self.reply.parts if isinstance(part, Text) and part.urls]
        if not texts:
            return {}
        chunks = [{"web": {"uri": url, "title": "A cited page"}} for url in texts[0].urls]
        end = len("".join(texts[0].deltas).encode())
        supports = [
            {"segment": {"endIndex": end}, "groundingChunkIndices": [index]}
            for index in range(len(chunks))
        ]
        return {"groundingMetadata": {"groundingChunks": chunks, "groundingSupports": supports}}

    def _pieces(self) -> Iterator[Json]:
        """Yield the parts of a stream: a thought's seal goes with the next call, or at the end."""
        signature = None
        for part in self.reply.parts:
            match part:
                case Reasoning(deltas, redacted=redacted):
                    shown = deltas if self.shows and not redacted else ()
                    yield from ({"text": text, "thought": True} for text in shown)
                    signature = self.seal("".join(deltas))
                case Text(deltas) | Refusal(deltas):
                    yield from ({"text": text} for text in deltas)
                case Call() | Foreign():
                    yield _signed(self._whole_part(part), signature)
                    signature = None
        if signature:
            yield _signed({"text": ""}, signature)

    def _whole_parts(self) -> Iterator[Json]:
        """Yield the parts of a whole reply: a thought's seal goes with the next call or the end."""
        signature = None
        for index, part in enumerate(self.reply.parts):
            if isinstance(part, Reasoning):
                signature = self.seal("".join(part.deltas))
                if self.shows and not part.redacted:
                    yield {"text": "".join(part.deltas), "thought": True}
            elif isinstance(part, Text | Refusal) and self._has_calls_after(index):
                yield self._whole_part(part)
            elif isinstance(part, Text | Refusal | Call | Foreign):
                yield _signed(self._whole_part(part), signature)
                signature = None
        if signature:
            yield _signed({"text": ""}, signature)

    def _has_calls_after(self, index: int) -> bool:
        return any(isinstance(part, Call) for part in self.reply.parts[index + 1 :])

    def _whole_part(self, part: Part) -> Json:
        match part:
            case Text(deltas) | Refusal(deltas):
                return {"text": "".join(deltas)}
            case Call(name, arguments):
                call: Json = {"name": name, "args": wire_json.loads(arguments.encode())}
                if self.model.checks_calls:
                    call["id"] = secrets.token_hex(4)
                return {"functionCall": call}
            case Foreign(item):
                return item
        raise AssertionError(part)


def gemini_frames(responses: Iterable[Json]) -> Iterator[Frame]:
    """Frame the responses of a stream: no names, no comments, no mark at the end."""
    for response in responses:
        data = b"data: " + wire_json.dumps(response) + b"\n\n"
        if "error" in response or any(map(_ends, response.get("candidates", ()))):
            yield Frame("terminal", data)
        else:
            yield Frame("delta" if "candidates" in response else "other", data)


def _ends(candidate: Json) -> bool:
    return "finishReason" in candidate


def _signed(part: Json, signature: str | None) -> Json:
    return {**part, "thoughtSignature": signature} if signature else part


def _usage(usage: Usage | None) -> Json:
    """Return the counts; thoughts are not among the candidates' tokens."""
    if usage is None:
        return {}
    counts = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    more = {"thoughtsTokenCount": usage.reasoning, "cachedContentTokenCount": usage.cached}
    return {**counts, **{name: count for name, count in more.items() if count}}
