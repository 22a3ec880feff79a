"""A Gemini stream, read into neutral events.

Each event is a whole response with the next pieces; parts have no names, so one opens when its
first piece comes and closes when another kind of piece does. Calls come whole. Nothing marks the
end but the end itself: a ``finishReason`` may come with every event, and a signature in a last part
that holds nothing else (public reports, seen 2026-11-25).
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from airelays_app.dialects.base import Classify, Json
from airelays_app.dialects.event_data import read_object
from airelays_app.dialects.gemini.call_ids import MADE_UP
from airelays_app.dialects.gemini.endings import block_in, broken, reason_in
from airelays_app.dialects.gemini.grounding import annotations_in
from airelays_app.dialects.gemini.seals import DIALECT, Place, native_seal
from airelays_app.dialects.gemini.usage import FIELD, read_usage
from airelays_app.dialects.openai_error import incomplete
from airelays_app.framing.jsontext import dumps
from airelays_app.framing.sse import parse_block
from airelays_app.neutral.events import (
    Event,
    Failed,
    Finished,
    Noted,
    PartClosed,
    PartDelta,
    PartKind,
    PartOpened,
    PartSealed,
    Started,
    UsageSeen,
)
from airelays_app.neutral.failure import Failure
from airelays_app.neutral.usage import Usage

_BESIDE_TEXT = frozenset({"thought", "thoughtSignature"})
_WITH_TEXT = frozenset({"content", "index"})
_AROUND_TEXT = frozenset({"candidates", FIELD, "modelVersion", "responseId"})
"""The fields of an event that brings a text and has nothing else to say."""

_DATA = b"data: "
_OBJECT = b"data: {"


class GeminiDecoder:
    """Reads one stream; only the first candidate, since the relay asks for one.

    ``feed`` raises ValueError, TypeError or their like for nonsense.
    """

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._out: list[Event] = []
        self._id = ""
        self._count = 0
        self._open: tuple[PartKind, int] | None = None
        self._texts: list[str] = []
        self._counts: Any = None
        self._usage: Usage | None = None
        self._reason: Any = None
        self._called = False
        self._started = False
        self._ended = False

    def feed(self, blocks: Iterable[bytes]) -> list[Event]:
        """Return what the next SSE blocks mean."""
        self._out = []
        for block in blocks:
            if not (block.startswith(_OBJECT) and self._usual_text(block)):
                self._see_last_counts()
                self._read_block(block)
        self._see_last_counts()
        return self._out

    def _usual_text(self, block: bytes) -> bool:
        """Take what nearly every block of a stream is, more text and the counts so far.

        The parser ignores the line ends behind the object. Anything else is left for later, and of
        the counts of blocks that come together only the last are read.
        """
        try:
            response = orjson.loads(block[len(_DATA) :])
            (candidate,) = response["candidates"]
            (part,) = candidate["content"]["parts"]
            text = part["text"]
        except (LookupError, TypeError, ValueError):
            return False
        if self._open is None or self._open[0] != "text" or self._ended or len(part) > 1:
            return False
        if text.__class__ is not str or not text:
            return False
        if not (candidate.keys() <= _WITH_TEXT and response.keys() <= _AROUND_TEXT):
            return False
        self._counts = response.get(FIELD) or self._counts
        self._texts.append(text)
        self._out.append(PartDelta(self._open[1], text))
        return True

    def _read_block(self, block: bytes) -> None:
        data = parse_block(block).data
        if data is not None and not self._ended and (response := read_object(data)):
            self._read(response)

    def read_body(self, response: Json) -> list[Event]:
        """Return the events of a whole response; it needs no word that it ended."""
        self._out = []
        self._read(response)
        if response.get("candidates"):
            self._reason = self._reason or "STOP"
        return self._out if self._ended else [*self._out, *self.close()]

    def close(self) -> list[Event]:
        """Return the terminal event that is still owed."""
        self._out = []
        if self._ended:
            return []
        self._ended = True
        if self._reason is None:
            self._out.append(Failed(incomplete()))
            return self._out
        self._close_open()
        self._out.append(Finished(reason_in(self._reason, called=self._called)))
        return self._out

    def _read(self, response: Json) -> None:
        if response.get("error"):
            self._fail(self._classify(response))
            return
        self._start(response)
        self._see_counts(response.get(FIELD))
        for candidate in (response.get("candidates") or ())[:1]:
            self._candidate(candidate)
        if not self._ended:
            self._see_block(response.get("promptFeedback") or {})

    def _start(self, response: Json) -> None:
        if not self._started:
            self._started = True
            self._id = str(response.get("responseId") or "")
            self._out.append(Started(self._id, str(response.get("modelVersion") or "")))

    def _see_last_counts(self) -> None:
        if self._counts is not None:
            self._see_counts(self._counts)
            self._counts = None

    def _see_counts(self, counts: Any) -> None:
        usage = read_usage(counts)
        if usage is not None and usage != self._usage:
            self._usage = usage
            self._out.append(UsageSeen(usage))

    def _see_block(self, feedback: Json) -> None:
        if self._reason is None and (said := block_in(feedback)):
            self._text("refusal", said)
            self._reason = "SAFETY"

    def _candidate(self, candidate: Json) -> None:
        content = candidate.get("content") or {}
        for part in content.get("parts") or ():
            self._part(part)
        self._note(candidate)
        if failure := broken(candidate):
            self._fail(failure)
        self._reason = candidate.get("finishReason") or self._reason

    def _fail(self, failure: Failure) -> None:
        self._ended = True
        self._out.append(Failed(failure))

    def _part(self, part: Json) -> None:
        signature = part.get("thoughtSignature")
        if call := part.get("functionCall"):
            self._call(call, signature)
        elif "text" in part or part.keys() <= _BESIDE_TEXT:
            self._speak(part, str(part.get("text") or ""), signature)
        elif image := _image_in(part):
            self._text("text", image)
        else:
            self._opaque(part)

    def _speak(self, part: Json, text: str, signature: Any) -> None:
        if part.get("thought") is True:
            self._text("reasoning", text)
            self._seal(signature, "thought")
        elif self._is_open("reasoning") and text:
            self._seal(signature, "text")
            self._text("text", text)
        else:
            self._text("text", text)
            self._seal(signature, "end")

    def _is_open(self, kind: PartKind) -> bool:
        return self._open is not None and self._open[0] == kind

    def _text(self, kind: PartKind, text: str) -> None:
        if not text:
            return
        if not self._is_open(kind):
            self._open_part(kind)
        assert self._open is not None
        if kind == "text":
            self._texts.append(text)
        self._out.append(PartDelta(self._open[1], text))

    def _seal(self, signature: Any, place: Place, id_: str | None = None) -> None:
        """Seal the reasoning before this place; without any, it is one that shows nothing."""
        if not isinstance(signature, str) or not signature:
            return
        if not self._is_open("reasoning"):
            self._open_part("reasoning")
        assert self._open is not None
        self._out.append(PartSealed(self._open[1], native_seal(signature, place, id_)))
        self._close_open()

    def _call(self, call: Json, signature: Any) -> None:
        name = str(call.get("name") or "")
        arguments = dumps(call.get("args") or {}).decode()
        id_ = str(call.get("id") or "") or self._made_up_id(name, arguments)
        self._called = True
        self._seal(signature, "call", id_)
        part = self._open_part("tool_call", id_=id_, name=name)
        self._out.append(PartDelta(part, arguments))
        self._close_open()

    def _made_up_id(self, name: str, arguments: str) -> str:
        """Return an id that no other call of the conversation has, as far as one can tell."""
        whole = f"{name}{arguments}".encode("utf-8", "surrogatepass")
        said = self._id or hashlib.sha256(whole).hexdigest()[:16]
        return f"{MADE_UP}{said}_{self._count}"

    def _opaque(self, part: Json) -> None:
        number = self._open_part("opaque", native=part)
        self._out.append(PartClosed(number, part))
        self._open = None

    def _open_part(
        self,
        kind: PartKind,
        *,
        id_: str | None = None,
        name: str | None = None,
        native: Json | None = None,
    ) -> int:
        self._close_open()
        part = self._count
        self._count += 1
        self._open = kind, part
        self._texts = []
        dialect = DIALECT if kind == "opaque" else None
        self._out.append(PartOpened(part, kind, id_, name, native, dialect))
        return part

    def _close_open(self) -> None:
        if self._open is not None:
            self._out.append(PartClosed(self._open[1]))
            self._open = None

    def _note(self, candidate: Json) -> None:
        """Note the sources of the text that is open; they come with the last event."""
        if self._open is None or self._open[0] != "text":
            return
        for annotation in annotations_in(candidate, self._texts):
            self._out.append(Noted(self._open[1], "annotation", annotation))


def _image_in(part: Json) -> str | None:
    """Return an image that the model made, as the text in which every client can show it."""
    blob = part.get("inlineData") or {}
    kind = str(blob.get("mimeType") or "")
    return f"![image](data:{kind};base64,{blob.get('data')})" if kind.startswith("image/") else None


def decode_reply(body: Json, classify: Classify) -> list[Event]:
    """Return the events of a buffered response."""
    return GeminiDecoder(classify).read_body(body)
