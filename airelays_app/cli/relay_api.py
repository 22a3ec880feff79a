"""The running relay's own HTTP API, as a client on this machine uses it."""

from collections.abc import Iterator
from http import HTTPStatus
from math import inf
from types import TracebackType
from typing import Any, Self

from airelays_app.cli.failures import Failure
from airelays_app.config import Settings
from airelays_app.config.exposure import is_wildcard_host
from airelays_app.errors import UpstreamError, UpstreamUnreachable
from airelays_app.framing.jsontext import JsonTextError, dumps, loads
from airelays_app.framing.sse import SseSplitter, parse_block
from airelays_app.upstream.client import ClientOptions, UpstreamClient
from airelays_app.upstream.request import OutboundRequest
from airelays_app.upstream.response import UpstreamResponse

_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 10.0
_BODY_BYTES_MAX = 16 * 1024 * 1024

Json = dict[str, Any]


class RelayRefusal(Failure):
    """The relay answered with an error; ``status`` and ``code`` are those of the answer."""

    def __init__(self, message: str, *, status: int, code: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def local_url(settings: Settings) -> str:
    """Return the URL at which this machine itself reaches the relay, without a slash at its end."""
    host = settings.server.host
    if is_wildcard_host(host):
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


class RelayApi:
    """One relay at ``root_url``; ``token`` is sent if there is one. Never through a proxy."""

    def __init__(self, root_url: str, *, token: str | None = None) -> None:
        self.root_url = root_url.rstrip("/")
        self._token = token
        self._client = UpstreamClient(ClientOptions(pool_size=1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def identity(self) -> Json | None:
        """Return what ``/healthz`` says; None when nothing listens there.

        What listens and is no relay has no ``app_name``.
        """
        request = self._request("GET", "/healthz", read_timeout=_ANSWER_SECONDS)
        try:
            with self._client.send(request) as answer:
                return _object(answer.read(limit=_BODY_BYTES_MAX))
        except UpstreamUnreachable:
            return None
        except UpstreamError:
            return {}

    def get(self, path: str) -> Json:
        """Return the JSON object at ``path``; raises Failure, RelayRefusal."""
        with self._sent(self._request("GET", path, read_timeout=_ANSWER_SECONDS)) as answer:
            return _object(answer.read(limit=_BODY_BYTES_MAX))

    def events(self, path: str, body: Json, *, read_timeout: float) -> Iterator[Json]:
        """Yield the events of a stream as objects, as they come; raises Failure, RelayRefusal."""
        request = self._request("POST", path, body=dumps(body), read_timeout=read_timeout)
        splitter = SseSplitter()
        with self._sent(request) as answer:
            try:
                for piece in answer.pieces(tick=inf):
                    yield from _events_in(splitter.feed(piece))
            except UpstreamError as error:
                raise Failure("The answer was cut short.") from error

    def _sent(self, request: OutboundRequest) -> UpstreamResponse:
        try:
            answer = self._client.send(request)
        except UpstreamUnreachable as error:
            raise Failure(
                f"No relay answers at {self.root_url}. Start it: airelays serve"
            ) from error
        except UpstreamError as error:
            raise Failure(f"What answers at {self.root_url} is no relay.") from error
        if answer.status != HTTPStatus.OK:
            with answer:
                raise _refusal(answer.status, answer.read(limit=_BODY_BYTES_MAX))
        return answer

    def _request(
        self, method: str, path: str, *, body: bytes | None = None, read_timeout: float
    ) -> OutboundRequest:
        headers = {"Accept": "application/json" if body is None else "text/event-stream"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return OutboundRequest(
            method,
            self.root_url + path,
            headers,
            body=body,
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_timeout,
        )


def _events_in(blocks: list[bytes]) -> Iterator[Json]:
    for block in blocks:
        data = parse_block(block).data
        if data and data != b"[DONE]":
            yield _object(data)


def _refusal(status: int, body: bytes) -> RelayRefusal:
    error = _object(body).get("error")
    if not isinstance(error, dict):
        return RelayRefusal(f"The relay answered {status}.", status=status, code=None)
    message, code = error.get("message"), error.get("code")
    return RelayRefusal(
        str(message or f"The relay answered {status}."),
        status=status,
        code=code if isinstance(code, str) else None,
    )


def _object(data: bytes) -> Json:
    try:
        value = loads(data)
    except JsonTextError:
        return {}
    return value if isinstance(value, dict) else {}
