"""One request of a load and the proof that its answer is right."""

import json
import re
from dataclasses import dataclass
from typing import Any

from benchmarks.replies import ANSWER, deltas

_RESPONSES_DELTA = re.compile(rb'"type":"response\.output_text\.delta".*?"delta":"([^"]*)"')
_CHAT_DELTA = re.compile(rb'"delta":\{[^{}]*"content":"([^"]+)"')
_OWN_ID = re.compile(rb'"id":"(?:chatcmpl-|resp_)[^"]*"(?:,"object":"[^"]*","created":\d+)?')
_LAST_EVENT = {"responses": b'"type":"response.completed"', "chat": b"data: [DONE]\n\n"}
_DELTAS = {"responses": _RESPONSES_DELTA, "chat": _CHAT_DELTA}
_PATHS = {"responses": "/v1/responses", "chat": "/v1/chat/completions"}


_KEPT = 4


class WrongAnswerError(Exception):
    """The answer is not the one that the upstream gave."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of ``dialect``; ``count`` deltas are expected, none of a whole reply.

    ``completed`` asks for the reply's text in the final event too, which the ChatGPT backend
    leaves out and a relay has to fill in.
    """

    dialect: str
    model: str
    token: str
    count: int
    completed: bool = False

    @property
    def streams(self) -> bool:
        """Whether a stream is asked for."""
        return self.count > 0

    @property
    def first_mark(self) -> bytes:
        """What has come once the first delta has."""
        return deltas(1)[0].encode() if self.streams else ANSWER[:5].encode()

    def request(self) -> bytes:
        """Return the bytes to send, with the headers of a common client library."""
        body = json.dumps(self._body(), separators=(",", ":")).encode()
        head = (
            f"POST {_PATHS[self.dialect]} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            "Accept: application/json\r\nAccept-Encoding: identity\r\n"
            "User-Agent: OpenAI/Python 2.8.1\r\nx-stainless-lang: python\r\n"
            "x-stainless-package-version: 2.8.1\r\nx-stainless-os: Linux\r\n"
            "x-stainless-arch: x64\r\nx-stainless-runtime: CPython\r\n"
            "x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\n"
            f"Connection: keep-alive\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def verify(self, body: bytes) -> None:
        """Raise WrongAnswerError unless every delta came once, in order, and then the end."""
        if self.streams:
            self._verify_stream(body)
        elif _text_of(json.loads(body)) != ANSWER:
            raise WrongAnswerError("the text of the whole reply is wrong")

    def _verify_stream(self, body: bytes) -> None:
        came = _DELTAS[self.dialect].findall(body)
        expected = deltas(self.count)
        if b"".join(came) != "".join(expected).encode() or len(came) != self.count:
            raise WrongAnswerError(f"{len(came)} deltas of {self.count}, or in the wrong order")
        last = body[body.rstrip(b"\n").rfind(b"\n\n") + 2 :]
        end = _LAST_EVENT[self.dialect]
        if end not in last or body.count(end) != 1:
            raise WrongAnswerError("the stream has no proper end")
        if self.completed and last.count(expected[-1].encode()) != 1:
            raise WrongAnswerError("the final event lacks the text")

    def _body(self) -> dict[str, Any]:
        text = "Say something that is neither too long nor too short."
        messages = [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": text},
        ]
        body: dict[str, Any] = {"model": self.model}
        body["messages" if self.dialect == "chat" else "input"] = messages
        if self.streams:
            body["stream"] = True
        if self.streams and self.dialect == "chat":
            body["stream_options"] = {"include_usage": True}
        return body


class Verifier:
    """Verifies the answers of one exchange; what differs only in its own id is not read twice.

    Reading 200 events costs as much as relaying them, and the load shares its machine with the
    relay. Equal bytes have equal deltas.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._right: list[bytes] = []

    def verify(self, body: bytes) -> None:
        """Raise WrongAnswerError for a wrong answer."""
        own_id = _OWN_ID.search(body)
        normal = body.replace(own_id[0], b"") if own_id else body
        if normal in self._right:
            return
        self._exchange.verify(body)
        self._right = [normal, *self._right[: _KEPT - 1]]


def _text_of(reply: dict[str, Any]) -> str:
    if "choices" in reply:
        return str(reply["choices"][0]["message"]["content"])
    return str(reply["output"][0]["content"][0]["text"])
