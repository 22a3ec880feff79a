"""One request of a load and the proof that its answer is right."""

import json
import re
from dataclasses import dataclass

from benchmarks.wires import WIRES
from benchmarks.wires.wire import ANSWER, Said, Wire, deltas

_OWN = re.compile(rb'"(?:id|responseId|created(?:_at)?)":("[^"]*"|[0-9]+)')
"""What a relay writes anew in each answer."""
_BEGINNING_BYTES = 4096
"""Within these every such value of an answer has come for the first time."""
_KEPT = 4
_QUESTION = (
    Said("system", "You are a helpful assistant."),
    Said("user", "Say something that is neither too long nor too short."),
)
_CODE = "\n".join(
    f'    if reply["words"][{line}] != "größer":\n\t\treturn f"{{line}} → \\"{line}\\""  # ok'
    for line in range(60)
)
"""A text such as agents send: lines, quotes, backslashes, some letters beyond ASCII."""


class WrongAnswerError(Exception):
    """The answer is not the one that the upstream gave."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of ``dialect``; ``count`` deltas are expected, none of a whole reply.

    ``completed`` asks for the reply's text in the final event too, which the ChatGPT backend
    leaves out and a relay has to fill in. What was said before has ``history`` bytes at least.
    """

    dialect: str
    model: str
    token: str
    count: int
    completed: bool = False
    history: int = 0

    @property
    def wire(self) -> Wire:
        """The dialect as it is spoken."""
        return WIRES[self.dialect]

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
        said = (*_QUESTION[:1], *_history(self.history), *_QUESTION[1:])
        value = self.wire.body(self.model, said, self.streams)
        body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        path = self.wire.stream_path if self.streams else self.wire.path
        head = (
            f"POST {path.format(model=self.model)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
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
        elif self.wire.text_of(json.loads(body)) != ANSWER:
            raise WrongAnswerError("the text of the whole reply is wrong")

    def _verify_stream(self, body: bytes) -> None:
        came = self.wire.delta.findall(body)
        expected = deltas(self.count)
        if b"".join(came) != "".join(expected).encode() or len(came) != self.count:
            raise WrongAnswerError(f"{len(came)} deltas of {self.count}, or in the wrong order")
        end = self.wire.end
        last = body[body.rstrip().rfind(b"\ndata: ") :]
        if end not in last or body.count(end) != 1 or not last.rstrip(b"\r").endswith(b"\n"):
            raise WrongAnswerError("the stream has no proper end")
        if self.completed and last.count(expected[-1].encode()) != 1:
            raise WrongAnswerError("the final event lacks the text")


def _history(size: int) -> list[Said]:
    """Return turns that have ``size`` bytes of text in all."""
    said: list[Said] = []
    while size > 0:
        said += [Said("user", f"{len(said)}: {_CODE}"), Said("assistant", ANSWER)]
        size -= len(_CODE.encode()) + len(ANSWER)
    return said


class Verifier:
    """Verifies the answers of one exchange; what differs only in its own ids is not read twice.

    Reading 200 events costs as much as relaying them, and the load shares its machine with the
    relay. Equal bytes have equal deltas.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._right: list[bytes] = []
        self._named_before: set[bytes] = set()

    def verify(self, body: bytes) -> None:
        """Raise WrongAnswerError for a wrong answer."""
        named = set(_OWN.findall(body[:_BEGINNING_BYTES]))
        normal = body
        for own in named - self._named_before:
            normal = normal.replace(own, b"")
        self._named_before = named
        if normal in self._right:
            return
        self._exchange.verify(body)
        self._right = [normal, *self._right[: _KEPT - 1]]
