"""A careless upstream: its errors, headers and redirects repeat whatever it was sent.

The model's name decides: ``refuse`` (400), ``reject`` (401), ``break`` (500), ``name`` (400 whose
*code* is the echo), ``plain`` and ``page`` (text and HTML), ``move`` (307 to ``elsewhere``),
``stumble`` (a stream that fails) and ``talk`` (a good answer with cookies and echoing headers).
``carriage`` and ``zero`` answer with a header that has such a character in its value.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "talk",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "good"},
            "finish_reason": "stop",
        }
    ],
}
_STATUSES = {"refuse": 400, "reject": 401, "break": 500, "name": 400, "plain": 400, "page": 502}


class EchoingUpstream:
    """One such server; ``seen`` are the heads and bodies of all requests as one text each."""

    def __init__(self, *, elsewhere: str = "", cookie: str = "") -> None:
        self.elsewhere = elsewhere
        self.cookie = cookie
        self.seen: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.upstream = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        models = [{"id": name} for name in (*_STATUSES, "move", "talk")]
        self._send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        upstream: EchoingUpstream = self.server.upstream  # type: ignore[attr-defined]
        echo = f"{self.headers.as_string()} {body.decode()}"
        upstream.seen.append(echo)
        model = json.loads(body)["model"]
        _ACTIONS.get(model, _refuse)(self, model, echo)

    def _send(self, status: int, body: Any, kind: str = "application/json", **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": kind}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def _refuse(handler: _Handler, model: str, echo: str) -> None:
    code = echo if model == "name" else "refused"
    error = {"message": f"I do not take {echo}", "type": "invalid_request_error", "code": code}
    handler._send(_STATUSES[model], {"error": {**error, "details": [echo]}})


def _plain(handler: _Handler, model: str, _echo: str) -> None:
    credential = handler.headers.get("Authorization", "")
    handler._send(_STATUSES[model], f"I do not take {credential}.", "text/plain")


def _page(handler: _Handler, model: str, echo: str) -> None:
    handler._send(_STATUSES[model], f"<html>{echo}</html>", "text/html")


def _move(handler: _Handler, _model: str, _echo: str) -> None:
    elsewhere = handler.server.upstream.elsewhere  # type: ignore[attr-defined]
    handler._send(307, "", Location=elsewhere)


def _talk(handler: _Handler, _model: str, _echo: str) -> None:
    credential = handler.headers.get("Authorization", "")
    handler._send(
        200,
        _ANSWER,
        Set_Cookie=f"session={handler.server.upstream.cookie}",  # type: ignore[attr-defined]
        x_request_id=credential,
        x_ratelimit_echo=credential,
        Keep_Alive="timeout=7",
        Proxy_Authenticate="Basic",
    )


def _malformed(handler: _Handler, model: str, _echo: str) -> None:
    letter = {"carriage": b"\r", "zero": b"\0"}[model]
    head = b"HTTP/1.1 200 OK\r\nx-ratelimit-a: b" + letter + b"X-Upstream: c\r\n"
    handler.wfile.write(head + b"Content-Length: 2\r\n\r\n{}")
    handler.close_connection = True


def _stumble(handler: _Handler, model: str, echo: str) -> None:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    begun = {**chunk, "choices": [{"index": 0, "delta": {"content": "well"}}]}
    failed = {"error": {"message": f"I do not take {echo}", "code": echo}}
    events = "".join(f"data: {json.dumps(each)}\n\n" for each in (begun, failed))
    handler._send(200, events, "text/event-stream")


_ACTIONS: dict[str, Callable[[_Handler, str, str], None]] = {
    "plain": _plain,
    "page": _page,
    "move": _move,
    "talk": _talk,
    "stumble": _stumble,
    "carriage": _malformed,
    "zero": _malformed,
}
